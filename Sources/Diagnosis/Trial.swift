import Failures
import Launching

/// A job of a few ranks, started as a person would start it, that finds what no look at the machine shows.
enum Trial {
  /// Starts `mpirun … dtrain doctor` with one rank a host, two at least, which says what its ranks find.
  static func run(_ circumstances: Circumstances, _ hostfile: Hostfile?) -> [Finding] {
    let name = "trial"
    guard let mpirun = circumstances.find("mpirun") else { return [Finding(name, .skipped, "there is no mpirun")] }
    let ranks = max(2, hostfile?.hosts.count ?? 0)
    var arguments = [mpirun, "--oversubscribe", "-n", "\(ranks)"]
    if let file = circumstances.hostfile, hostfile != nil { arguments += ["--hostfile", file, "--map-by", "node"] }
    arguments += [circumstances.program, "doctor"] + circumstances.settingsArguments
    // A rank that waits for another says so after its own deadline, which comes first.
    let seconds = circumstances.settings.communication.timeoutSeconds + 30
    let trial: ChildProcess.Answer
    do throws(Failure) {
      // Where the library crashes, a backtrace says nothing to the user and takes seconds.
      trial = try ChildProcess.answer(
        of: arguments,
        environment: circumstances.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { own, _ in own },
        seconds: seconds)
    } catch {
      return [Finding(name, .failure, error.cause, remedy: error.remedy)]
    }
    let shown = "mpirun -n \(ranks) dtrain doctor"
    let findings = Finding.read(trial.output)
    if trial.end == .exited(0), !findings.isEmpty { return [Finding(name, .ok, shown)] + findings }
    if !findings.isEmpty && findings.contains(where: { $0.grade == .failure }) { return findings }
    let said = reason(trial.output)
    let end =
      switch trial.end {
      case .exited(let code): "ended with code \(code)"
      case .signalled(let signal): "was ended by signal \(signal)"
      case nil: "did not end within \(Int(seconds)) s"
      }
    return [
      Finding(
        name, .failure, "\(shown) \(end)" + (said.isEmpty ? " and said nothing" : ": \(said)"),
        remedy: "mend what failed above; then try by hand: \(arguments.joined(separator: " "))")
    ]
  }

  /// What the job said of its error: the program's own line, else the first sentences of mpirun's.
  static func reason(_ output: String) -> String {
    let lines = SystemFile.lines(output).filter { line in !line.isEmpty && !line.allSatisfy { $0 == "-" } }
    if let own = lines.first(where: { $0.hasPrefix("dtrain: ") }) { return own }
    var text = ""
    for line in lines {
      text += (text.isEmpty ? "" : " ") + line
      if text.count > 100 && line.hasSuffix(".") || text.count > 240 { break }
    }
    return String(text.prefix(400))
  }
}
