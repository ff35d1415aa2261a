import Configuration

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a job is meant to be, and where it would run: all that the checks look at.
public struct Circumstances: Sendable {
  public var settings: Settings
  /// The arguments that give a process these settings.
  public var settingsArguments: [String]
  /// How many ranks are meant; nil where nobody said.
  public var ranks: Int?
  /// Open MPI's file of hosts, if one is meant.
  public var hostfile: String?
  /// Where the files of the run would go; nil for a new folder in `runs`.
  public var runFolder: String?
  public var environment: [String: String]
  /// Whether the user is root.
  public var isRoot: Bool
  /// The absolute path of this program.
  public var program: String

  public init(
    settings: Settings, settingsArguments: [String] = [], ranks: Int? = nil, hostfile: String? = nil,
    runFolder: String? = nil,
    environment: [String: String] = [:], isRoot: Bool = geteuid() == 0, program: String = ""
  ) {
    self.settings = settings
    self.settingsArguments = settingsArguments
    self.ranks = ranks
    self.hostfile = hostfile
    self.runFolder = runFolder
    self.environment = environment
    self.isRoot = isRoot
    self.program = program
  }

  /// Open MPI's parameters as they hold here.
  var parameters: MCAParameters { MCAParameters(environment: environment) }

  /// The first file of this name that can be executed, in the folders of PATH.
  func find(_ name: String) -> String? {
    (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }.first { path in
      var status = stat()
      return access(path, X_OK) == 0 && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
  }

  /// This process's environment.
  public static func ownEnvironment() -> [String: String] {
    var environment: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return environment
  }
}
