import Communication
import Failures
import Launching

/// mpirun, the library that this program is linked with, and the user who starts them.
enum LauncherChecks {
  /// Which program of an MPI implementation a launcher is.
  enum Kind: Equatable {
    /// With its version: "4.1.4".
    case openMPI(String)
    /// What it calls itself.
    case other(String)
  }

  /// How long a launcher may take to say its version.
  private static let seconds = 20.0

  /// mpirun is there, it is Open MPI's, and no other implementation's mpiexec is in its place.
  static func launcher(_ circumstances: Circumstances) -> (Finding, Kind?) {
    let name = "launcher"
    guard let path = circumstances.find("mpirun") else {
      return (
        Finding(
          name, .failure, "there is no mpirun on PATH",
          remedy: "run launch/setup.sh, or install Open MPI (Debian: openmpi-bin), or put its bin folder on PATH"), nil
      )
    }
    let kind: Kind
    do throws(Failure) {
      kind = try ask(path, circumstances)
    } catch {
      return (Finding(name, .failure, "\(path): \(error.cause)", remedy: error.remedy), nil)
    }
    let remedy =
      "start the program with Open MPI's mpirun, which it is built for (Debian: openmpi-bin); see `which -a mpirun`"
    guard case .openMPI(let version) = kind else {
      guard case .other(let title) = kind else { return (Finding(name, .skipped, path), nil) }
      return (Finding(name, .failure, "\(path) is not Open MPI's: \(title)", remedy: remedy), kind)
    }
    if let other = circumstances.find("mpiexec"), case .other(let title)? = try? ask(other, circumstances) {
      return (
        Finding(
          name, .failure, "\(path) is Open MPI's, but \(other) is not: \(title)",
          remedy: "take it off PATH, or start the program with mpirun alone: each process would think that it is alone"),
        kind
      )
    }
    return (Finding(name, .ok, "\(path), Open MPI \(version)"), kind)
  }

  private static func ask(_ path: String, _ circumstances: Circumstances) throws(Failure) -> Kind {
    let answer = try ChildProcess.answer(
      of: [path, "--version"], environment: circumstances.environment, seconds: seconds)
    guard answer.end != nil else {
      throw Failure(.failure, "it does not say its version within \(Int(seconds)) s", remedy: "see why it hangs")
    }
    return kind(saying: answer.output)
  }

  /// Open MPI: "mpirun (Open MPI) 4.1.4", "mpiexec (OpenRTE) 4.1.4". MPICH: "HYDRA build details:", then "Version: 4.0.2".
  static func kind(saying output: String) -> Kind {
    let lines = SystemFile.lines(output).filter { !$0.isEmpty }
    for line in lines {
      for mark in ["(Open MPI) ", "(OpenRTE) "] {
        guard let version = word(in: line, after: mark) else { continue }
        return .openMPI(version)
      }
    }
    if lines.contains(where: { $0.hasPrefix("HYDRA") }) {
      let version = lines.first { $0.hasPrefix("Version:") }.map { SystemFile.trimmed($0.dropFirst(8)) }
      return .other("MPICH's Hydra" + (version.map { " \($0)" } ?? ""))
    }
    return .other(lines.first.map { "it says \"\($0.prefix(80))\"" } ?? "it says nothing of its version")
  }

  private static func word(in line: String, after mark: String) -> String? {
    var rest = line[...]
    while !rest.isEmpty {
      if rest.hasPrefix(mark) { return rest.dropFirst(mark.count).split(separator: " ").first.map(String.init) }
      rest.removeFirst()
    }
    return nil
  }

  /// The launcher and the library are of one version.
  static func library(_ launcher: Kind?, library: String = MPILibrary.name) -> Finding {
    let name = "MPI library"
    let remedy = "put the mpirun of that library first on PATH, or rebuild the program against the other one"
    guard library.hasPrefix("Open MPI v") else {
      return Finding(
        name, .failure, "the program is linked with \(library)",
        remedy: "build it with Open MPI (Debian: libopenmpi-dev), whose pkg-config name is ompi-c")
    }
    let own = String(library.dropFirst("Open MPI v".count))
    guard let launcher else { return Finding(name, .ok, library) }
    guard case .openMPI(let version) = launcher else {
      return Finding(name, .failure, "\(library), which that launcher cannot start", remedy: remedy)
    }
    if version == own { return Finding(name, .ok, "\(library), as mpirun") }
    func series(_ version: String) -> [Substring] { Array(version.split(separator: ".").prefix(2)) }
    return Finding(
      name, series(version) == series(own) ? .warning : .failure, "\(library), but mpirun is of \(version)",
      remedy: remedy)
  }

  /// Open MPI starts nothing for root unless both variables say so.
  static func user(_ circumstances: Circumstances) -> Finding {
    let variables = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]
    guard circumstances.isRoot else { return Finding("user", .ok, "not root") }
    let missing = variables.filter { circumstances.environment[$0] != "1" }
    guard !missing.isEmpty else { return Finding("user", .ok, "root, which both variables allow") }
    return Finding(
      "user", .failure, "root, whom mpirun refuses: \(missing.joined(separator: " and ")) not set to 1",
      remedy: ". launch/environment.sh, or export " + variables.map { "\($0)=1" }.joined(separator: " "))
  }
}
