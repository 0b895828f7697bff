import Testing

@testable import Comparison

@Suite struct IperfResultTests {
    @Test func readsOneDirection() throws {
        let result = try IperfResult(
            json: """
                {"start":{"version":"iperf 3.12"},"intervals":[],"end":{
                "sum_sent":{"bytes":2000,"bits_per_second":16000,"sender":true},
                "sum_received":{"bytes":1500,"bits_per_second":12000,"sender":true}}}
                """)
        #expect(result.bytes == 1500)
        #expect(result.bitsPerSecond == 12000)
    }

    @Test func addsBothDirections() throws {
        let result = try IperfResult(
            json: """
                {"end":{"sum_received":{"bytes":10,"bits_per_second":80},
                "sum_sent_bidir_reverse":{"bytes":99,"bits_per_second":99},
                "sum_received_bidir_reverse":{"bytes":5,"bits_per_second":40}}}
                """)
        #expect(result.bytes == 15)
        #expect(result.bitsPerSecond == 120)
    }

    @Test func anErrorIsAFailureThatNamesIt() {
        let json = #"{"start":{},"intervals":[],"end":{},"error":"unable to connect"}"#
        #expect(throws: Failure.self) { try IperfResult(json: json) }
        #expect(IperfResult.error(json: json) == "unable to connect")
    }

    @Test(arguments: ["", "iperf3: error", "{}", #"{"end":{"sum_received":{"bytes":0,"bits_per_second":0}}}"#])
    func nothingIsAFailure(_ json: String) {
        #expect(throws: Failure.self) { try IperfResult(json: json) }
    }
}

@Suite struct LoadResultTests {
    /// What wrk prints with our script.
    private let output = """
        Running 1s test @ http://192.0.2.1:2000/
          1 threads and 64 connections
          Thread Stats   Avg      Stdev     Max   +/- Stdev
        Requests/sec:  27146.00
        {"requests":27410,"seconds":1.009711,"errors":3,"p50":1983.0,"p99":3775.0,"p999":4753.0}

        """

    @Test func findsTheLineInTheOutput() throws {
        let result = try LoadResult(output: output)
        #expect(result.requests == 27410)
        #expect(result.seconds == 1.009711)
        #expect(result.errors == 3)
        #expect(result.p50 == 1983 && result.p99 == 3775 && result.p999 == 4753)
    }

    @Test func noRequestIsAFailure() {
        let nothing = output.replacing("\"requests\":27410", with: "\"requests\":0")
        #expect(throws: Failure.self) { try LoadResult(output: nothing) }
        #expect(throws: Failure.self) { try LoadResult(output: "unable to connect to 192.0.2.1:2000") }
    }
}

@Suite struct StraceSummaryTests {
    @Test func countsWithAndWithoutErrors() throws {
        let summary = try StraceSummary(
            """
            % time     seconds  usecs/call     calls    errors syscall
            ------ ----------- ----------- --------- --------- ----------------
             62.07    0.012345           6      2000           recvfrom
             30.00    0.006000           6      1000        10 accept4
              7.93    0.001500           0         3           epoll_wait
            ------ ----------- ----------- --------- --------- ----------------
            100.00    0.019845           6      3003        10 total
            """)
        #expect(summary.callsByName == ["recvfrom": 2000, "accept4": 1000, "epoll_wait": 3])
        #expect(summary.calls == 3003)
    }

    @Test func nothingCountedIsAFailure() {
        #expect(throws: Failure.self) { try StraceSummary("") }
        #expect(throws: Failure.self) { try StraceSummary("strace: Process 1 detached") }
    }
}

@Suite struct DatagramResultTests {
    @Test func findsTheLineInTheOutput() throws {
        let result = try DatagramResult(output: "\n{\"answers\":12,\"lost\":3,\"seconds\":0.5}\n")
        #expect(result.answers == 12 && result.lost == 3 && result.seconds == 0.5)
    }

    @Test(arguments: ["", "{}", #"{"answers":0,"lost":3,"seconds":0.5}"#])
    func nothingIsAFailure(_ output: String) {
        #expect(throws: Failure.self) { try DatagramResult(output: output) }
    }
}

@Suite struct HandshakeCountTests {
    private static let report = """
        Now timing with session id reuse.
        starting
        rrrrrrrrrrrrrrrrrrrr

        20 connections in 0.07s; 285.71 connections/user sec, bytes read 4000
        20 connections in 2 real seconds, 200 bytes read per connection
        """

    @Test func countsConnections() throws {
        #expect(try HandshakeCount(output: Self.report, resumed: true).connections == 20)
        let new = Self.report.replacing("rrrr", with: "****")
        #expect(try HandshakeCount(output: new, resumed: false).connections == 20)
    }

    @Test(arguments: ["", "rrrr", "20 connections in 2 real seconds, 200 bytes read per connection"])
    func refusesToGuess(_ output: String) {
        #expect(throws: Failure.self) { try HandshakeCount(output: output, resumed: true) }
    }

    @Test func refusesOneKindOfConnectionsForTheOther() throws {
        let others = Self.report.replacing("rrrrrr", with: "r*****")
        #expect(throws: Failure.self) { try HandshakeCount(output: others, resumed: true) }
        #expect(throws: Failure.self) { try HandshakeCount(output: others, resumed: false) }
    }
}
