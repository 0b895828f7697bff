import Configuration
import Testing

@Suite struct DurationTests {
    @Test(
        arguments: [
            ("250ms", .milliseconds(250), "250ms"),
            ("1000ms", .seconds(1), "1s"),
            ("1500ms", .milliseconds(1500), "1500ms"),
            ("10s", .seconds(10), "10s"),
            ("90s", .seconds(90), "90s"),
            ("60s", .seconds(60), "1m"),
            ("5m", .seconds(300), "5m"),
            ("60m", .seconds(3600), "1h"),
            ("1h", .seconds(3600), "1h"),
            ("8760h", .seconds(365 * 24 * 3600), "8760h"),
            ("0", .zero, "0s"),
            ("0s", .zero, "0s"),
            ("0h", .zero, "0s"),
            ("007s", .seconds(7), "7s"),
        ] as [(String, Duration, String)])
    func reads(text: String, expected: Duration, written: String) throws {
        let configuration = try load(options: ["drain": text], routes: ["8000"]).get()
        #expect(configuration.drain == expected)
        #expect(try configuration.yaml.contains("\ndrain: \(written)\n"))
    }

    @Test(arguments: [
        ("10", "expected a duration such as 10s, found '10' without a unit (ms, s, m or h)"),
        ("", "expected a duration such as 10s, found ''"),
        ("s", "expected a duration such as 10s, found 's'"),
        ("-1s", "expected a duration such as 10s, found '-1s'"),
        ("+1s", "expected a duration such as 10s, found '+1s'"),
        ("1.5s", "expected a duration such as 10s, found '1.5s'; did you mean '1500ms'?"),
        ("1 s", "expected a duration such as 10s, found '1 s'; did you mean '1s'?"),
        ("1S", "expected a duration such as 10s, found '1S'; did you mean '1s'?"),
        ("1d", "expected a duration such as 10s, found '1d'; did you mean '24h'?"),
        ("1h30m", "expected a duration such as 10s, found '1h30m'; did you mean '90m'?"),
        ("10 seconds", "expected a duration such as 10s, found '10 seconds'; did you mean '10s'?"),
        ("1m 1500msec", "expected a duration such as 10s, found '1m 1500msec'; did you mean '61500ms'?"),
        ("0.0001s", "expected a duration such as 10s, found '0.0001s'"),
        ("999d", "expected a duration such as 10s, found '999d'"),
        ("1.2.3s", "expected a duration such as 10s, found '1.2.3s'"),
        ("10 parsecs", "expected a duration such as 10s, found '10 parsecs'"),
        ("١s", "expected a duration such as 10s, found '١s'"),
        ("8761h", "'8761h' is longer than the longest duration, 8760h"),
        ("99999999999999999999s", "'99999999999999999999s' is longer than the longest duration, 8760h"),
        ("9223372036854775807h", "'9223372036854775807h' is longer than the longest duration, 8760h"),
    ])
    func refuses(text: String, message: String) {
        #expect(load(options: ["drain": text], routes: ["8000"]).errorText == "--drain: \(message)")
    }

    @Test(arguments: ["connect-timeout", "idle-timeout", "half-close-timeout"])
    func refusesTimeoutsOfNothing(option: String) throws {
        #expect(
            load(options: [option: "0s"], routes: ["8000"]).errorText
                == "--\(option): '0s' is shorter than the shortest possible, 1ms")
        let hold = try load(options: ["hold": "0"], routes: ["8000"]).route.hold
        #expect(hold == .zero)
    }
}
