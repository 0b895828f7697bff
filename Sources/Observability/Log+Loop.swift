internal import EventLoop

extension Log {
    /// Takes up what the event loops have to say from now on, about ``LogPart/loop``.
    public func followLoops() {
        let log = part(.loop)
        LoopMessages.send { severity, text in
            switch severity {
            case .debug: log.debug(text)
            case .message: log.info(text)
            case .warning: log.warning(text)
            case .error: log.error(text)
            }
        }
    }
}
