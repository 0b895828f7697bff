/// Makes identifiers for connections, unique over all workers and after a restart.
struct ConnectionIDs {
    private let worker = UInt64.random(in: .min ... .max)
    private var count: UInt64 = 0

    /// Returns 32 hexadecimal digits: 16 that the worker has drawn at its start, and the connection's number.
    mutating func take() -> [UInt8] {
        count += 1
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for number in [worker, count] {
            for shift in stride(from: 60, through: 0, by: -4) {
                let digit = UInt8(number >> UInt64(shift) & 0xF)
                digits.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
        return digits
    }
}
