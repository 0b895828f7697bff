internal import COpenSSL
internal import Network

extension TLSChannel {
    func join(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        workspace.joined.copyMemory(from: first)
        UnsafeMutableRawBufferPointer(rebasing: workspace.joined[first.count...]).copyMemory(from: second)
        return UnsafeRawBufferPointer(rebasing: workspace.joined[..<(first.count + second.count)])
    }

    func encrypt(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer, _ connection: OpaquePointer
    ) -> Socket.TransferResult {
        switch encrypt(first, connection) {
        case .moved(let count):
            guard count == first.count, heldOutput == nil else { return .moved(count) }
            return switch encrypt(second, connection) {
            case .moved(let more): .moved(count + more)
            case .wouldBlock, .endOfStream: .moved(count)
            case .failed(let code): .failed(code)
            }
        case let other: return other
        }
    }

    /// Encrypts and sends until everything is taken or the kernel takes no more.
    func encrypt(_ bytes: UnsafeRawBufferPointer, _ connection: OpaquePointer) -> Socket.TransferResult {
        var taken = 0
        while taken < bytes.count, heldOutput == nil {
            let piece = min(bytes.count - taken, TLSWorkspace.outputPiece)
            let count = SSL_write(connection, bytes.baseAddress! + taken, CInt(piece))
            guard count > 0 else {
                let code = TLSLibrary.takeFailure().code
                workspace.outputCount = 0
                // What the client has is not whole, and must not be followed by an end that says so.
                fail(code)
                return .failed(code)
            }
            taken += Int(count)
            let error = sendOutput()
            if error != 0 { return .failed(error) }
        }
        return .moved(taken)
    }

    /// Gives the kernel what has just been written, behind what it has not taken before, and keeps the rest.
    /// - Returns: 0 or an errno.
    func sendOutput() -> CInt {
        let count = workspace.outputCount
        guard count > 0 else { return 0 }
        workspace.outputCount = 0
        let output = UnsafeRawBufferPointer(rebasing: workspace.output[..<count])
        if let held = heldOutput {
            heldOutput = HeldBytes(copying: held.remaining, output)
            return flush(to: socket)
        }
        switch Socket.send(output, to: socket) {
        case .moved(count): return 0
        case .moved(let sent): heldOutput = HeldBytes(copying: UnsafeRawBufferPointer(rebasing: output[sent...]))
        case .wouldBlock, .endOfStream: heldOutput = HeldBytes(copying: output)
        case .failed(let code): return code
        }
        return 0
    }
}
