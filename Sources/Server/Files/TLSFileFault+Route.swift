public import Configuration
internal import Proxy
internal import TLS

extension TLSFileFault {
    /// Reads the files that a route's `tls` names, and returns what is wrong with them; nil where nothing is.
    public static func fault(of route: Route) -> TLSFileFault? {
        // Private keys are in memory for a moment.
        ProcessLimits.keepMemoryPrivate()
        do {
            _ = try TLSContext(TLSServerSettings(route), tickets: TicketKeys())
            return nil
        } catch {
            switch error.part {
            case .certificate, .memory: return TLSFileFault(.certificate(pair: error.pair), error.description)
            case .key: return TLSFileFault(.key(pair: error.pair), error.description)
            case .clientAuthorities: return TLSFileFault(.clientCA, error.description)
            }
        }
    }
}
