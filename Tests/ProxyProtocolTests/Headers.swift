import Network
import ProxyProtocol

/// What tests put headers together from.
enum Headers {
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// 192.0.2.1:1000 to 198.51.100.2:443.
    static let v4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 3, 232, 1, 187]
    /// 2001:db8::1, port 1000, to ::1, port 443.
    static let v6: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + zeros(11) + [1] + zeros(15) + [1] + [3, 232, 1, 187]

    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    /// A header of version 2.
    /// - Parameter length: what it says of the length of all that follows it; nil for what is true.
    static func binary(
        _ versionAndCommand: UInt8 = 0x21, _ family: UInt8 = 0x11, _ rest: [UInt8] = v4, length: Int? = nil
    ) -> [UInt8] {
        let length = length ?? rest.count
        return signature + [versionAndCommand, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
    }

    static func field(_ type: UInt8, _ value: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? value.count
        return [type, UInt8(length >> 8), UInt8(length & 0xFF)] + value
    }

    static func endpoints(_ source: String, _ destination: String, _ ports: (UInt16, UInt16) = (1000, 443))
        -> ProxyHeader
    {
        func address(_ text: String, _ port: UInt16) -> SocketAddress {
            IPAddress(text).map { .ip($0, port: port) } ?? .unix(path: text)
        }
        return ProxyHeader(
            endpoints: ProxyHeader.Endpoints(
                source: address(source, ports.0), destination: address(destination, ports.1)))
    }

    static func parse(_ bytes: [UInt8]) -> ProxyHeader.Progress { ProxyHeader.parse(bytes.span) }
}
