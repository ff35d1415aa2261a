#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A fault that a test asks for: one rank fails, leaves or stands still at a stated place of a stated step.
///
/// `DTRAIN_FAULT=PHASE:RANK:STEP[:KIND]`, read once. Without the variable a place where one might strike costs a look at
/// a constant. Under `dtrain launch` it holds for the first start alone.
public struct InjectedFault: Equatable, Sendable {
  /// The variable of the environment.
  public static let variable = "DTRAIN_FAULT"

  /// Where in the program.
  public enum Phase: String, CaseIterable, Sendable {
    /// Before the ranks meet. The step does not count here, at `data` and at `end`.
    case start
    /// When the data set is open.
    case data
    /// Computing a microbatch's gradient.
    case computation
    /// Before subtrees' roots are exchanged.
    case scattering
    /// Before finished slices are exchanged.
    case gathering
    /// Before the optimizer changes the parameters.
    case update
    /// Before the state is written; on rank 0.
    case checkpoint
    /// In the evaluation after the step.
    case evaluation
    /// When all work is done.
    case end

    var hasStep: Bool { self != .start && self != .data && self != .end }
  }

  /// What happens.
  public enum Kind: String, CaseIterable, Sendable {
    /// An error is thrown.
    case error
    /// The process leaves with code 0 and says nothing.
    case exit
    /// The process stands still: SIGSTOP.
    case stop
  }

  public let phase: Phase
  public let rank: Int
  public let step: Int
  public let kind: Kind

  private static let asked = Result { () throws(Failure) -> InjectedFault? in
    try getenv(variable).map { text throws(Failure) in try InjectedFault(String(cString: text)) }
  }

  /// - Throws: `.usage` for what is no such text.
  public init(_ text: String) throws(Failure) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (3...4).contains(parts.count), let phase = Phase(rawValue: parts[0]), let rank = Int(parts[1]), rank >= 0,
      let step = Int(parts[2]), step >= 0, let kind = Kind(rawValue: parts.count > 3 ? parts[3] : "error")
    else {
      throw Failure(
        .usage, "\(Self.variable)=\(text) is no fault",
        remedy: "it is PHASE:RANK:STEP or PHASE:RANK:STEP:KIND, of the phases "
          + Phase.allCases.map(\.rawValue).joined(separator: ", ") + " and the kinds "
          + Kind.allCases.map(\.rawValue).joined(separator: ", ") + "; unset it for a run without faults")
    }
    (self.phase, self.rank, self.step, self.kind) = (phase, rank, step, kind)
  }

  /// Does what was asked for this place, if anything.
  ///
  /// - Throws: `.failure` where that is an error; `.usage` where the variable cannot be read.
  @inline(__always)
  public static func strike(_ phase: Phase, rank: Int, step: Int = 0) throws(Failure) {
    if case .success(nil) = asked { return }
    try asked.get()?.strike(phase, rank: rank, step: step)
  }

  private func strike(_ phase: Phase, rank: Int, step: Int) throws(Failure) {
    guard phase == self.phase, rank == self.rank, step == self.step || !phase.hasStep else { return }
    switch kind {
    case .error:
      let place = phase.hasStep ? ", step \(step)" : ""
      throw Failure(.failure, "injected fault in \(phase)\(place)", remedy: "unset \(Self.variable)")
    case .exit: exit(0)
    case .stop: kill(getpid(), SIGSTOP)
    }
  }
}
