import Failures
import Testing

@testable import Diagnosis

@Suite struct HostfileTests {
  @Test func hostsHaveTheSlotsOfTheirLines() throws {
    let file = try Hostfile(
      text: "# rack 1\n\nnode1 slots=4 max_slots=8\n  node2\t# its cores\r\nme@10.0.0.3 cpu=2 user=me\nnode3\nnode3\n",
      name: "hosts")
    #expect(
      file.hosts == [
        .init(name: "node1", slots: 4), .init(name: "node2", slots: nil), .init(name: "me@10.0.0.3", slots: 2),
        .init(name: "node3", slots: 2),
      ])
  }

  @Test(arguments: [
    ("node1 slots=four", "hosts:1: "), ("a\nnode1 slots=0", "hosts:2: "), ("node1 slot=4", "hosts:1: "),
    ("slots=4", "hosts:1: "), ("node1 slots", "hosts:1: "), ("node1 slots=", "hosts:1: "), ("^node1", "hosts:1: "),
    ("", "hosts names no host"), ("# a\n", "hosts names no host"),
  ]) func whatIsWrongHasItsLine(_ text: String, _ start: String) {
    let failure = #expect(throws: Failure.self) { try Hostfile(text: text, name: "hosts") }
    #expect(failure?.code == .badData && failure?.cause.hasPrefix(start) == true && failure?.remedy.isEmpty == false)
  }

  @Test func aFileThatIsNotThere() {
    #expect(throws: Failure.self) { try Hostfile(reading: "/nowhere/hosts") }
  }
}
