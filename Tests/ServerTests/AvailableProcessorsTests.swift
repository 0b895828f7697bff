import Glibc
import Testing

@testable import Server

@Suite struct AvailableProcessorsTests {
    @Test func thereIsOneAndNoMoreThanTheMachineHas() {
        #expect(1...max(1, sysconf(CInt(_SC_NPROCESSORS_CONF))) ~= AvailableProcessors.count)
    }
}
