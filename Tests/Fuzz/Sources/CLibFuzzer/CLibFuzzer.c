// SwiftPM wants a source file; the function comes with -sanitize=fuzzer.
