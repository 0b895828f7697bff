import Foundation
import Testing

@testable import Observability

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"), (0, 7, "1970-01-01T00:00:00.007Z"),
        (951_782_399, 999, "2000-02-28T23:59:59.999Z"), (951_782_400, 0, "2000-02-29T00:00:00.000Z"),
        (951_868_800, 0, "2000-03-01T00:00:00.000Z"), (1_709_164_800, 50, "2024-02-29T00:00:00.050Z"),
        (1_767_225_599, 999, "2025-12-31T23:59:59.999Z"), (1_767_225_600, 0, "2026-01-01T00:00:00.000Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"), (2_147_483_648, 1, "2038-01-19T03:14:08.001Z"),
    ])
    func momentsAreWrittenAsRFC3339SaysInUTC(seconds: Int, milliseconds: Int, text: String) {
        #expect(Timestamp(secondsSince1970: seconds, milliseconds: milliseconds).description == text)
    }

    @Test(arguments: [
        (0, "01/Jan/1970:00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "06/Nov/1994:08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_767_225_599, "31/Dec/2025:23:59:59 +0000", "Wed, 31 Dec 2025 23:59:59 GMT"),
    ])
    func momentsAreWrittenAsTheWebHasThem(seconds: Int, commonLog: String, http: String) {
        let moment = Timestamp(secondsSince1970: seconds, milliseconds: 999)
        for (style, text) in [(Timestamp.Style.commonLog, commonLog), (.http, http)] {
            var bytes = Array("> ".utf8)
            moment.write(style, into: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == "> " + text)
        }
    }

    @Test func nowIsNow() {
        let (before, now, after) = (Date(), Timestamp.now.description, Date())
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        #expect(format.format(before) <= now && now <= format.format(after.addingTimeInterval(0.001)))
    }
}
