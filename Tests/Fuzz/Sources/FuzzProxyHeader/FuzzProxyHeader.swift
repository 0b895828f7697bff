import CLibFuzzer
import ProxyProtocol

/// Feeds the parser of PROXY headers with what libFuzzer makes up.
@main
struct FuzzProxyHeader {
    static func main() {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        _ = unsafe LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            unsafe FuzzProxyHeader.check(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }

    /// The verdict comes with a certain byte and stays; and what is read can be written, and means the same then.
    private static func check(_ bytes: [UInt8]) {
        let whole = ProxyHeader.parse(bytes.span)
        // The first length, found by halving, after which it is decided.
        var (undecided, decided) = (0, bytes.count)
        while undecided < decided {
            let middle = (undecided + decided) / 2
            if parse(bytes, middle) == .incomplete { undecided = middle + 1 } else { decided = middle }
        }
        for count in [0, decided / 3, decided - 1] where count >= 0 && count < decided {
            precondition(parse(bytes, count) == .incomplete)
        }
        for count in [decided, decided + 1, (decided + bytes.count) / 2] where count <= bytes.count {
            precondition(parse(bytes, count) == whole)
        }
        guard case .complete(let header, let length) = whole else { return }
        precondition(length == decided && length <= ProxyHeader.longest)
        precondition(header.uniqueID.map { $0.count <= ProxyHeader.longestUniqueID } ?? true)
        checkWriting(header)
    }

    private static func parse(_ bytes: [UInt8], _ count: Int) -> ProxyHeader.Progress {
        ProxyHeader.parse(bytes.span.extracting(..<count))
    }

    private static func checkWriting(_ header: ProxyHeader) {
        var binary: [UInt8] = []
        header.write(as: .v2, into: &binary)
        precondition(ProxyHeader.parse(binary.span) == .complete(header, length: binary.count))
        var text: [UInt8] = []
        header.write(as: .v1, into: &text)
        precondition(text.count <= ProxyHeader.longestText)
        guard case .complete(let again, text.count) = ProxyHeader.parse(text.span) else {
            preconditionFailure("what was written is no header")
        }
        switch header.endpoints?.source {
        case .ip?: precondition(again.endpoints == header.endpoints)
        case .unix?, nil: precondition(again.endpoints == nil)
        }
    }
}
