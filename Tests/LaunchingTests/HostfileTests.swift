import Failures
import Testing

@testable import Launching

@Suite struct HostfileTests {
  private func hosts(_ text: String) throws -> [Hostfile.Host] { try Hostfile(text: text, name: "hosts").hosts }

  /// As `mpirun --hostfile FILE --display-allocation` shows them.
  @Test func hostsHaveTheSlotsOfTheirLines() throws {
    let text =
      "# two racks\n\nnode-1 slots=4 max_slots=8\n\t10.0.0.2  # its cores\r\nnode_3.local slots = 2\nb max-slots =3\n"
      + "c cpu=2\nd\nd\nd\ne slots= 2\ne"
    #expect(
      try hosts(text) == [
        .init(name: "node-1", slots: 4), .init(name: "10.0.0.2", slots: nil), .init(name: "node_3.local", slots: 2),
        .init(name: "b", slots: 3), .init(name: "c", slots: 2), .init(name: "d", slots: 3), .init(name: "e", slots: 3),
      ])
  }

  @Test func whoLogsInIsKnown() throws {
    #expect(
      try hosts("me@a slots=2\nb username=me\nc port=23\nd") == [
        .init(name: "a", slots: 2, hasLogin: true), .init(name: "b", slots: nil, hasLogin: true),
        .init(name: "c", slots: nil, hasLogin: true), .init(name: "d", slots: nil),
      ])
  }

  @Test(arguments: [
    ("a slots=2\nb slots=0", "hosts:2: 'slots=0' does not say a number of slots"),
    ("a slots=four", "hosts:1: 'slots=four' does not say a number of slots"),
    ("a slots=", "hosts:1: 'slots=' is not understood"),
    ("a slots", "hosts:1: 'slots' is not understood"),
    ("a slot=4", "hosts:1: 'slot=4' is not understood"),
    ("a user=me", "hosts:1: 'user=me' is not understood"),
    ("\n\na slots=99999999999999999999", "hosts:3: 'slots=99999999999999999999' does not say a number of slots"),
    ("a slots=1 slots=2", "hosts:1: slots is given twice"),
    ("a slots=2\na slots=3", "hosts:2: a has slots in an earlier line already"),
    ("a slots=3 max_slots=2", "hosts:1: max_slots=2 is less than slots=3"),
    ("a:4", "hosts:1: 'a:4' is no host's name"),
    ("--prefix", "hosts:1: '--prefix' is no host's name"),
    ("me@-a", "hosts:1: 'me@-a' is no host's name"),
    ("@a", "hosts:1: '@a' is no host's name"),
    ("slots=4", "hosts:1: 'slots=4' is no host's name"),
    ("^a", "hosts:1: '^a' is no host's name"),
    ("a,b", "hosts:1: 'a,b' is no host's name"),
    ("# nobody\n\n", "hosts names no host"),
    ("", "hosts names no host"),
  ]) func whatIsNoSuchLineIsNamed(_ text: String, _ cause: String) {
    let failure = #expect(throws: Failure.self) { try Hostfile(text: text, name: "hosts") }
    #expect(failure?.cause == cause)
    #expect(failure?.code == .badData && failure?.remedy.isEmpty == false)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    let failure = #expect(throws: Failure.self) { try Hostfile(reading: "/nowhere/hosts") }
    #expect(failure?.code == .noInput && failure?.cause.contains("/nowhere/hosts") == true)
  }

  @Test func manyHostsTakeNoLongTime() throws {
    #expect(try hosts((0..<100_000).map { "h\($0)\n" }.joined()).count == 100_000)
  }
}
