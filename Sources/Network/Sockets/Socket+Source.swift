internal import CLinux
public import EventLoop
internal import Glibc

extension Socket {
    /// Chooses the address from which the socket will connect; the port is left to ``connect(to:)``, so that there are as
    /// many for every address that is connected to (IP_BIND_ADDRESS_NO_PORT, ip(7)).
    /// - Throws: ``SystemError`` named `bind`: EADDRNOTAVAIL where the address is not this machine's.
    public func bind(toSource address: IPAddress) throws(SystemError) {
        // A kernel that does not know the option takes a port now, of which there are fewer then.
        set(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, to: 1)
        let result = SocketAddress.ip(address, port: 0).withKernelForm { Glibc.bind(number, $0, $1) }
        guard result == 0 else { throw SystemError("bind") }
    }
}
