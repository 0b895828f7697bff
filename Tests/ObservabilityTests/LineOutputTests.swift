import Testing

@testable import Observability

@Suite struct LineOutputTests {
    /// A disk with room for so many bytes.
    private final class Disk {
        var room: Int
        var text = ""

        init(room: Int) { self.room = room }

        func write(_ bytes: [UInt8]) -> Int {
            let taken = bytes.prefix(room)
            text += String(decoding: taken, as: UTF8.self)
            room -= taken.count
            return taken.count
        }
    }

    private func write(
        _ lines: String, dropped: UInt64 = 0, to disk: Disk, _ output: inout LineOutput
    ) -> LineOutput.Lost {
        output.write(Array(lines.utf8), dropped: dropped, notice: { "dropped \($0)" }, using: disk.write)
    }

    /// Wherever the disk is full: whole lines before, and whole lines after there is room again.
    @Test(arguments: 0...20) func aLineThatWasCutOffDoesNotSpoilTheNext(room: Int) {
        let disk = Disk(room: room)
        var output = LineOutput()
        let lost = write("one\ntwo\nthree\n", dropped: 2, to: disk, &output)
        let before = disk.text
        disk.room = 1000
        #expect(write("four\n", dropped: lost.untold, to: disk, &output) == LineOutput.Lost())
        let whole = ["one", "two", "three"].filter { before.contains("\($0)\n") }
        let lines = disk.text.split(separator: "\n").map(String.init)
        #expect(Array(lines.prefix(whole.count)) == whole)
        #expect(lines.contains("four"))
        #expect(lost.now == 3 - UInt64(whole.count))
        #expect(lines.last == "dropped \(2 + lost.now)")
        // Of what was cut off there is its beginning, in a line of its own.
        #expect(lines.count <= whole.count + 3)
    }

    @Test func whatWasDroppedIsToldOnce() {
        let disk = Disk(room: 1000)
        var output = LineOutput()
        #expect(write("", to: disk, &output) == LineOutput.Lost())
        #expect(write("", dropped: 3, to: disk, &output) == LineOutput.Lost())
        #expect(write("one\n", to: disk, &output) == LineOutput.Lost())
        #expect(disk.text == "dropped 3\none\n")
    }

    @Test func aNoticeThatIsNotWantedIsNotMissed() {
        var output = LineOutput()
        var text: [UInt8] = []
        let lost = output.write(Array("one\n".utf8), dropped: 3, notice: { _ in nil }) { bytes in
            text += bytes
            return bytes.count
        }
        #expect(lost == LineOutput.Lost() && text == Array("one\n".utf8))
    }
}
