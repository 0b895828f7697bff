import Foundation
import Testing

@testable import Comparison

@Suite struct PeerTests {
    @Test func takesAProxyFromTheCommandLine() throws {
        let peer = try Peer(
            argument: "mine=/opt/mine --listen={listen_host}:{listen_port} {upstream_host}:{upstream_port}",
            mode: .http)
        #expect(peer.mode == .http)
        #expect(peer.name == "mine")
        #expect(peer.role == .peer)
        #expect(
            peer.command == ["/opt/mine", "--listen={listen_host}:{listen_port}", "{upstream_host}:{upstream_port}"])
    }

    @Test(arguments: ["", "mine", "=x {listen_port} {upstream_port}", "mine=x {listen_port}", "mine=x {upstream_port}"])
    func refusesWhatCannotWork(_ argument: String) {
        #expect(throws: Failure.self) { try Peer(argument: argument, mode: .tcp) }
    }

    @Test(arguments: [
        ("HAProxy version 2.6.12-1+deb12u4 2025/10/01", "2.6.12-1+deb12u4"),
        ("nginx version: nginx/1.22.1", "1.22.1"),
        ("envoy  version: 9e5580933739775e8bce/1.40.0/Clean/RELEASE", "1.40.0"),
        ("systemd 252 (252.38-1~deb12u1)\n+PAM", "252.38-1~deb12u1"),
        ("socat by Gerhard Rieger\nsocat version 1.7.4.4 on 06 Nov 2022", "1.7.4.4"),
    ])
    func findsTheVersion(_ answer: String, _ version: String) {
        #expect(PeerCatalogue.version(in: answer) == version)
    }
}

/// The definitions that are really there.
@Suite struct PeerCatalogueTests {
    private let benchmarks = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func readsEveryDefinition() throws {
        let catalogue = try PeerCatalogue(benchmarks: benchmarks)
        let folders = try Mode.allCases.flatMap { mode in
            try FileManager.default.contentsOfDirectory(
                atPath: benchmarks.appending(path: "peers/\(mode.rawValue)").path)
        }
        #expect(catalogue.peers.count + catalogue.missing.count == folders.count + Mode.allCases.count)
        for mode in Mode.allCases { #expect(catalogue.peers.first { $0.mode == mode }?.role == .direct) }
    }

    /// A configuration that names no address, or a placeholder that nobody fills, would measure something else.
    @Test func everyPeerIsToldWhereToListenAndWhereTheAppIs() throws {
        let endpoint = Endpoint(host: "192.0.2.1", port: 2001)
        let upstream = Endpoint(host: "127.0.0.1", port: 2002)
        let template = Template(listen: endpoint, upstream: upstream, files: "/nowhere")
        for peer in try PeerCatalogue(benchmarks: benchmarks).peers where peer.role != .direct {
            var text = peer.command.joined(separator: "\n")
            if let folder = peer.folder {
                for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != "peer.json" {
                    text += try String(contentsOf: folder.appending(path: name), encoding: .utf8)
                }
            }
            let filled = template.fill(text)
            for word in ["192.0.2.1", "2001", "127.0.0.1", "2002"] {
                #expect(filled.contains(word), "\(peer.name) is not told \(word)")
            }
            #expect(filled.firstMatch(of: /\{[a-z_]+\}/) == nil, "\(peer.name) has an unknown placeholder")
        }
    }
}
