import Checkpoints

/// What a job says on standard error, without what mpirun says of every end in many lines: `launch` says it in one.
///
/// Open MPI's longer texts stand between two lines of hyphens. Those that are not known, and what the ranks say, go on as
/// they are.
struct MPIWords {
  private var line: [UInt8] = []
  /// The lines of a text whose end has not come; nil outside.
  private var held: [[UInt8]]?

  /// No text of Open MPI is longer.
  private static let longest = 60
  private static let ends = [
    "MPI_ABORT was invoked on rank ", "Primary job  terminated normally", "mpirun detected that one or more processes",
    "mpirun has exited due to process rank ", "mpirun noticed that process rank ",
  ]
  /// Of single lines: a signal that was asked for, counts of equal texts, shared memory of a rank that is gone.
  private static let asides = [
    "mpirun: Forwarding signal ", " sent help message help-mpi-api.txt / mpi-abort",
    "Set MCA parameter \"orte_base_help_aggregate\" to 0", "] Read -1, expected ",
    "orte/util/show_help.c at line ",
  ]

  /// - Returns: what of it, and of what was held back, goes on.
  mutating func pass(_ chunk: ArraySlice<UInt8>) -> [UInt8] {
    var passed: [UInt8] = []
    for byte in chunk {
      line.append(byte)
      guard byte == UInt8(ascii: "\n") else { continue }
      passed += take(line)
      line.removeAll(keepingCapacity: true)
    }
    // Half a line that may become one of mpirun's, or rank 0's to `launch`, waits for its other half.
    if held == nil, let first = line.first, !"-[md".utf8.contains(first) {
      passed += line
      line.removeAll()
    }
    return passed
  }

  /// - Returns: what is held back still, at the end of the job.
  mutating func rest() -> [UInt8] {
    defer { (held, line) = (nil, []) }
    return (held ?? []).flatMap { $0 } + line
  }

  private mutating func take(_ line: [UInt8]) -> [UInt8] {
    let text = String(decoding: line, as: UTF8.self)
    // It is said to `launch` alone.
    if text.contains(LaunchMark.startedLine) { return [] }
    let isBorder = line.count > 60 && line.dropLast().allSatisfy { $0 == UInt8(ascii: "-") }
    guard let lines = held else {
      if isBorder {
        held = [line]
        return []
      }
      return Self.asides.contains { text.contains($0) } ? [] : line
    }
    // What a rank says in between is no part of it.
    if text.hasPrefix("dtrain: ") { return line }
    held = lines + [line]
    guard isBorder || lines.count >= Self.longest else { return [] }
    held = nil
    let first = lines.count > 1 ? String(decoding: lines[1], as: UTF8.self) : ""
    return isBorder && Self.ends.contains { first.hasPrefix($0) } ? [] : (lines + [line]).flatMap { $0 }
  }
}
