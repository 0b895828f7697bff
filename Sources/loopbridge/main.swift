import Configuration
import EventLoop
import Network
import Observability
import Proxy
import Glibc
var c = Configuration()
let a = CommandLine.arguments
let p = UInt16(a[2])!
c.routes = [Route(name: "web", listen: a[1] == "same" ? [.everyNonLoopback(port: p, families: [.v4,.v6])] : [.address(.ip(.anyV4, port: UInt16(a[1])!)), .address(.ip(.anyV6, port: UInt16(a[1])!))], upstream: .localhost(port: p))]
if a.count > 3 { c.workers = .count(Int(a[3])!) }
if a.count > 4 { c.log.access = false }
let log = Log(level: .debug, format: .text, writer: try LogWriter(to: Descriptor(owning: dup(2))))
do { try Server(c, log: log).run() } catch { log.error("\(error)"); log.close(); exit(71) }
log.close()
