import Checkpoints
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the time of a step goes, as `dtrain profile --json` writes it.
struct StepTimes: Equatable, Sendable {
  struct Part: Equatable, Sendable {
    var name = ""
    var detail = ""
    /// In seconds of a step.
    var forward = 0.0
    var backward = 0.0
    var other = 0.0

    var seconds: Double { forward + backward + other }
  }

  private(set) var caption = ""
  private(set) var stepSeconds = 0.0
  private(set) var parts: [Part] = []

  private static let maximumSize = 1 << 20

  /// - Returns: nil where there is no such file.
  /// - Throws: `.badData` where its content is none of a profile; `.noPermission` or `.inputOutput`.
  static func read(_ path: String) throws(Failure) -> StepTimes? {
    guard let file = fopen(path, "re") else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw Failure(
        errno == EACCES ? .noPermission : .inputOutput, "\(path): \(String(cString: strerror(errno)))",
        remedy: "check the file and its rights")
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: maximumSize)
    let count = fread(&bytes, 1, bytes.count, file)
    return try StepTimes(Array(bytes[..<count]), from: path)
  }

  init(_ json: [UInt8], from path: String) throws(Failure) {
    do throws(JSONProblem) {
      var scanner = JSONScanner(json)
      try scanner.object { (name, scanner) throws(JSONProblem) in
        switch name {
        case "caption": caption = try scanner.string()
        case "step_seconds": stepSeconds = try scanner.number()
        case "parts":
          try scanner.array { (scanner) throws(JSONProblem) in parts.append(try Self.part(&scanner)) }
        default: try scanner.skipValue()
        }
      }
      try scanner.end()
      guard stepSeconds > 0, !parts.isEmpty else {
        throw JSONProblem(reason: "there are no parts of a step", offset: nil)
      }
    } catch {
      throw Failure(
        .badData, "\(path)\(error.offset.map { ": byte \($0)" } ?? ""): \(error.reason)",
        remedy: "write it with dtrain profile --json, or remove it")
    }
  }

  private static func part(_ scanner: inout JSONScanner) throws(JSONProblem) -> Part {
    var part = Part()
    try scanner.object { (name, scanner) throws(JSONProblem) in
      switch name {
      case "name": part.name = try scanner.string()
      case "detail": part.detail = try scanner.string()
      case "forward_seconds": part.forward = try scanner.number()
      case "backward_seconds": part.backward = try scanner.number()
      case "other_seconds": part.other = try scanner.number()
      default: try scanner.skipValue()
      }
    }
    guard [part.forward, part.backward, part.other].allSatisfy({ $0 >= 0 }) else {
      throw JSONProblem(reason: "a time is no number of at least 0", offset: nil)
    }
    return part
  }
}
