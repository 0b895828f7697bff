internal import CLinux
public import EventLoop
internal import Glibc

extension ListeningSocket {
    /// Has the kernel drop what comes from clients that the filter does not pass, as if it had never come: they hear nothing.
    /// Takes the place of any filter before, and no moment is without one. Needs no privileges.
    ///
    /// Sockets that are accepted from now on have the filter too, and pass it, for their client does not change.
    /// - Throws: ``SystemError``: ENOMEM where it is longer than `net.core.optmem_max` allows, or what a sandbox says.
    public func attach(_ filter: SourceFilter) throws(SystemError) {
        let result = filter.instructions.withUnsafeBufferPointer { instructions in
            clinux_attach_filter(number, instructions.baseAddress, UInt16(instructions.count))
        }
        guard result == 0 else { throw SystemError("setsockopt SO_ATTACH_FILTER") }
    }

    /// Takes the filter away, if there is one.
    public func detachFilter() {
        socket.set(SOL_SOCKET, SO_DETACH_FILTER, to: 0)
    }

    /// The number of segments for the socket that the kernel has dropped since it was opened; it goes on from 0 after the
    /// largest number. What did not pass a filter is among them, and also what found the backlog full.
    /// - Throws: ``SystemError`` where the kernel does not say (ENOPROTOOPT before Linux 4.12).
    public var droppedSegments: UInt32 {
        get throws(SystemError) {
            var drops: UInt32 = 0
            guard clinux_socket_drops(number, &drops) == 0 else { throw SystemError("getsockopt SO_MEMINFO") }
            return drops
        }
    }
}
