import Testing

@testable import Supervision

@Suite struct MPIWordsTests {
  private let border = String(repeating: "-", count: 74) + "\n"

  /// What goes on of a text that comes in pieces of so many bytes.
  private func passed(_ text: String, pieces: Int) -> String {
    var words = MPIWords()
    var passed: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      passed += words.pass(bytes[start..<min(bytes.count, start + pieces)])
    }
    return String(decoding: passed + words.rest(), as: UTF8.self)
  }

  @Test(arguments: [1, 7, 100, 10_000]) func whatMPIRunSaysOfEveryEndIsLeftOut(pieces: Int) {
    let text =
      "dtrain: launch: all ranks have started\n"
      + border + "MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD\nwith errorcode 1.\n"
      + "dtrain: rank 1: no data; get some\n\nNOTE: invoking\n" + border
      + border + "Primary job  terminated normally, but 1 process returned\n" + border
      + "[vm:9439] 1 more process has sent help message help-mpi-api.txt / mpi-abort\n"
      + "mpirun: Forwarding signal 10 to job\nmore words\n"
    #expect(passed(text, pieces: pieces) == "dtrain: rank 1: no data; get some\nmore words\n")
  }

  @Test(arguments: [1, 7, 100, 10_000]) func everythingElseGoesOn(pieces: Int) {
    let text =
      "- a line\n" + border + "There are not enough slots available in the system\n\n  true\n" + border
      + "[h1:7] an error\nmpirun: what\nhalf a line\rand more"
    #expect(passed(text, pieces: pieces) == text)
    #expect(passed(border + "MPI_ABORT was invoked on rank 1", pieces: pieces).hasSuffix("rank 1"))
    let long = border + String(repeating: "x\n", count: 200)
    #expect(passed(long, pieces: pieces) == long)
  }

  @Test func halfALineDoesNotWait() {
    var words = MPIWords()
    #expect(words.pass(Array("step 3".utf8)[...]) == Array("step 3".utf8))
  }
}
