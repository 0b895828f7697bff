import Testing

@testable import Upstream

@Suite struct TicketLineTests {
    @Test func behavesLikeAPlainListWhateverIsDoneToIt() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var line = TicketLine<UInt64>()
            var plain: [UInt64] = []
            for ticket in UInt64(1)...400 {
                switch UInt64.random(in: 0..<4, using: &random) {
                case 0:
                    #expect(line.popFirst()?.payload == plain.first)
                    if !plain.isEmpty { plain.removeFirst() }
                case 1:
                    let leaving = plain.randomElement(using: &random) ?? 0
                    #expect(line.remove(leaving) == (leaving == 0 ? nil : leaving))
                    #expect(line.remove(leaving) == nil)
                    plain.removeAll { $0 == leaving }
                default:
                    line.append(ticket, ticket)
                    plain.append(ticket)
                }
                #expect(line.count == plain.count)
                #expect(line.first?.ticket == plain.first)
            }
            while let next = line.popFirst() { #expect(next.ticket == plain.removeFirst()) }
            #expect(plain.isEmpty)
        }
    }
}
