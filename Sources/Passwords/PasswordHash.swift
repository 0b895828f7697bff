internal import CCrypt
internal import Glibc

/// The hash of a password by bcrypt or SHA-crypt, with its salt.
public struct PasswordHash: Sendable, Equatable {
    /// The text that crypt(5) describes: `$2y$10$…`.
    private let text: String

    /// The reason why a text is not accepted, as half a sentence that never shows the text.
    struct Fault: Error {
        let reason: String
    }

    /// The highest cost of bcrypt that is accepted: each step doubles the time, and this one takes about two seconds.
    static let highestCost = 15
    private static let mostRounds = 999_999

    init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 4, parts[0].isEmpty else {
            throw Fault(
                reason: text.hasPrefix("{SHA}")
                    ? "SHA-1 without salt is no protection; make a hash of bcrypt: htpasswd -B"
                    : "this is no hash of bcrypt ($2y$…) or SHA-crypt ($6$…), and words in clear and DES are refused; "
                        + "make one: htpasswd -B")
        }
        switch parts[1] {
        case "2a", "2b", "2y":
            guard parts.count == 4, parts[2].count == 2, let cost = Int(parts[2]), parts[3].utf8.count == 53,
                Self.isHash(parts[3])
            else { throw Fault(reason: "this is no whole hash of bcrypt") }
            guard 4...Self.highestCost ~= cost else {
                throw Fault(reason: "a cost of \(cost) is not from 4 to \(Self.highestCost)")
            }
        case "5", "6":
            var rest = parts.dropFirst(2)
            if let rounds = rest.first, rounds.hasPrefix("rounds=") {
                guard let count = Int(rounds.dropFirst(7)), 1000...Self.mostRounds ~= count else {
                    throw Fault(reason: "the rounds are not from 1000 to \(Self.mostRounds)")
                }
                rest = rest.dropFirst()
            }
            guard rest.count == 2, let salt = rest.first, 1...16 ~= salt.utf8.count, let hash = rest.last,
                hash.utf8.count == (parts[1] == "6" ? 86 : 43), Self.isHash(salt), Self.isHash(hash)
            else { throw Fault(reason: "this is no whole hash of SHA-crypt") }
        case "1", "apr1":
            throw Fault(reason: "MD5 is no protection; make a hash of bcrypt: htpasswd -B")
        default:
            throw Fault(reason: "hashes of this kind are not supported; make one of bcrypt: htpasswd -B")
        }
        self.text = text
    }

    private static func isHash(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default: false
            }
        }
    }

    /// Whether this is the password. Takes as long as the hash was made to take, mostly 50 to 300 ms, whatever the password is:
    /// not for an event loop.
    /// - Parameter password: without a zero byte.
    func matches(_ password: [UInt8]) -> Bool {
        let expected = Array(text.utf8)
        // crypt_r(3) needs 32 KiB that are zero at first: too much for a stack.
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        memset(data, 0, MemoryLayout<crypt_data>.size)
        defer {
            explicit_bzero(data, MemoryLayout<crypt_data>.size)
            data.deallocate()
        }
        var phrase = password.map { CChar(bitPattern: $0) } + [0]
        defer { explicit_bzero(&phrase, phrase.count) }
        guard let result = crypt_r(phrase, text, data) else { return false }
        let found = UnsafeBufferPointer(start: result, count: strlen(result)).map { UInt8(bitPattern: $0) }
        guard found.count == expected.count else { return false }
        // All bytes are compared, so that the time does not tell where the first difference is.
        var difference: UInt8 = 0
        for (one, other) in zip(found, expected) { difference |= one ^ other }
        return difference == 0
    }
}
