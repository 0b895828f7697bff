internal import Configuration
internal import EventLoop

/// The faults on the way to the app, in the words that clients read. `app` is where it listens, as
/// `UpstreamAddress.description` says.
extension ErrorPage {
    /// The client is to say who it is.
    static func unauthorized(_ realm: String, isWrong: Bool) -> ErrorPage {
        let explanation = isWrong ? "The name or the password is wrong." : "A name and a password are needed here."
        var page = ErrorPage(status: 401, explanation: explanation)
        page.realm = realm
        return page
    }

    /// More passwords wait to be checked than can be soon.
    static let tooManyPasswords = ErrorPage(
        status: 503, explanation: "Too many passwords are being checked.", retryAfter: .seconds(5))

    /// The password thread has not come to this one in time.
    static let passwordTimeout = ErrorPage(
        status: 503, explanation: "The password could not be checked in time.", retryAfter: .seconds(5))

    /// There is no file of passwords.
    static let passwordsUnknown = ErrorPage(
        status: 503, explanation: "Passwords cannot be checked here at present.", retryAfter: .seconds(5))

    /// Nobody listens there, and the time to wait for it is over.
    static func appNotListening(_ app: String) -> ErrorPage {
        ErrorPage(status: 503, explanation: "The app at \(app) is not listening yet.", retryAfter: .seconds(2))
    }

    /// The app listens, but takes no connections.
    static func appBusy(_ app: String) -> ErrorPage {
        ErrorPage(status: 503, explanation: "The app at \(app) takes no more connections.", retryAfter: .seconds(5))
    }

    /// As many clients wait for the app as may.
    static func queueFull(_ app: String) -> ErrorPage {
        ErrorPage(
            status: 503, explanation: "The app at \(app) is busy, and too many clients wait for it already.",
            retryAfter: .seconds(5))
    }

    /// The client's turn did not come in time.
    static func queueTimeout(_ app: String, after limit: Duration) -> ErrorPage {
        ErrorPage(
            status: 503,
            explanation: "The app at \(app) is busy: it had no time for this request within \(durationText(limit)).",
            retryAfter: .seconds(5))
    }

    /// The system does not let us connect.
    static func connectFailed(_ app: String, _ error: SystemError) -> ErrorPage {
        ErrorPage(status: 502, explanation: "The app at \(app) cannot be reached: \(error.reason).")
    }

    /// The app ended the connection, or reset it, instead of responding.
    static func noAnswer(_ app: String) -> ErrorPage {
        ErrorPage(status: 502, explanation: "The app at \(app) ended the connection without an answer.")
    }

    /// The app has sent something that is no response.
    /// - Parameter fault: a sentence.
    static func invalidAnswer(_ app: String, _ fault: String) -> ErrorPage {
        ErrorPage(status: 502, explanation: "The answer of the app at \(app) is no valid HTTP. \(fault)")
    }

    /// `http.response_timeout` is over.
    static func answerTimeout(_ app: String, after limit: Duration) -> ErrorPage {
        ErrorPage(status: 504, explanation: "The app at \(app) did not answer within \(durationText(limit)).")
    }

    /// `http.head_timeout` is over.
    static func headTimeout(after limit: Duration) -> ErrorPage {
        ErrorPage(status: 408, explanation: "The request's head was not complete within \(durationText(limit)).")
    }

    /// `http.body_timeout` is over.
    static func bodyTimeout(after limit: Duration) -> ErrorPage {
        ErrorPage(status: 408, explanation: "Nothing more of the request's body came within \(durationText(limit)).")
    }
}
