import Failures
import Launching
import Testing

@testable import Supervision

@Suite struct HostSlotsTests {
  @Test func aHostWithoutSlotsHasItsCores() throws {
    let file = try Hostfile(text: "a slots=3\nb", name: "hosts")
    #expect(try HostSlots.of(file, cores: 8).map(\.argument) == ["a:3", "b:8"])
  }

  /// mpirun --host knows no such thing.
  @Test(arguments: ["me@a", "a port=23"]) func whatCannotBeHandedOnIsRefused(_ line: String) throws {
    let file = try Hostfile(text: line, name: "hosts")
    let failure = #expect(throws: Failure.self) { try HostSlots.of(file, cores: 8) }
    #expect(failure?.cause.hasSuffix("for a") == true)
  }
}
