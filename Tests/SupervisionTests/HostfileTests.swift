import Failures
import Testing

@testable import Supervision

@Suite struct HostfileTests {
  private func parse(_ text: String) throws -> [HostSlots] { try Hostfile.parse(text, named: "hosts") }

  private func failure(_ text: String) -> Failure? {
    do throws(Failure) {
      _ = try Hostfile.parse(text, named: "hosts")
      return nil
    } catch {
      return error
    }
  }

  @Test func hostsHaveTheSlotsOfTheirLines() throws {
    let text = "# two racks\n\nnode-1 slots=4\n\t10.0.0.2  # one\r\nnode_3.local slots=2 # two\nnode-1 slots=3"
    #expect(
      try parse(text) == [
        HostSlots(host: "node-1", slots: 7), HostSlots(host: "10.0.0.2", slots: 1),
        HostSlots(host: "node_3.local", slots: 2),
      ])
  }

  @Test(arguments: [
    ("a slots=2\nb slots=0", "hosts, line 2: 'slots=0' does not say a number of slots"),
    ("a slots=", "hosts, line 1: 'slots=' does not say a number of slots"),
    ("a slots", "hosts, line 1: 'slots' does not say a number of slots"),
    ("\n\na slots=99999999999999999999", "hosts, line 3: 'slots=99999999999999999999' does not say a number of slots"),
    ("a slots = 2", "hosts, line 1: 'slots' does not say a number of slots"),
    ("a slots=1 slots=2", "hosts, line 1: slots is given twice"),
    ("a max_slots=2", "hosts, line 1: 'max_slots=2' is not understood"),
    ("me@a slots=2", "hosts, line 1: 'me@a' is no host's name"),
    ("a:4", "hosts, line 1: 'a:4' is no host's name"),
    ("--prefix", "hosts, line 1: '--prefix' is no host's name"),
    ("a,b", "hosts, line 1: 'a,b' is no host's name"),
    ("# nobody\n\n", "hosts names no host"),
    ("", "hosts names no host"),
  ]) func whatIsNoSuchLineIsNamed(_ text: String, _ cause: String) {
    #expect(failure(text)?.cause == cause)
    #expect(failure(text)?.code == .badData)
  }

  @Test func aFileThatIsNotThereIsNamed() {
    #expect(throws: Failure.self) { try Hostfile.read("/nowhere/hosts") }
  }
}
