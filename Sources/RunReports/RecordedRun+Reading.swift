import Checkpoints
import Configuration
import Failures

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension RecordedRun {
  /// Reads the folder of a run.
  ///
  /// - Throws: `.noInput` where there is no such folder or it is none of a run; `.badData` where its metrics are torn
  ///   anywhere but at their end; whatever is wrong with its settings.
  public init(folder: String) throws(Failure) {
    var folder = folder[...]
    while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
    let files = RunDirectory(path: String(folder))
    try Self.requireRun(files)
    let settings = try SettingsLoader.load(file: files.configuration)
    var remarks: [String] = []
    let metrics = try MetricsReader.read(files.metrics)
    if let remark = metrics.remark { remarks.append(remark) }
    let weights = try Self.weights(of: files, remarks: &remarks)
    if access(files.lock, F_OK) == 0 {
      remarks.append("A job still writes to this run, or ended without a word: the folder has a lock.")
    } else if weights?.isFinal != true {
      remarks.append("The run did not come to its end: there are no final weights.")
    }
    self.init(
      name: Self.name(of: String(folder)), folder: String(folder), settings: settings, steps: metrics.steps,
      tests: metrics.tests, validations: metrics.validations, ranks: metrics.ranks, weights: weights,
      profile: try StepTimes.read(files.profile), remarks: remarks)
  }

  private static func requireRun(_ files: RunDirectory) throws(Failure) {
    var status = stat()
    guard stat(files.path, &status) == 0 else {
      throw Failure(
        .noInput, "\(files.path): there is no such folder",
        remedy: "name the folder of a run, such as runs/first; dtrain train prints it as 'run folder'")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw Failure(
        .noInput, "\(files.path): this is a file and no folder of a run", remedy: "name the folder it lies in")
    }
    for path in [files.configuration, files.metrics] where access(path, F_OK) != 0 {
      let file = path.dropFirst(files.path.count + 1)
      throw Failure(
        .noInput, "\(files.path): this is no folder of a run: it has no \(file)",
        remedy: "name a folder that dtrain train has written")
    }
  }

  /// The final weights, or those of the newest checkpoint where a run has gone on since or has not ended.
  private static func weights(of files: RunDirectory, remarks: inout [String]) throws(Failure) -> Weights? {
    let store = CheckpointStore(folder: files.checkpoints)
    let checkpoints = try store.steps()
    var final: Weights?
    if access(files.weights, F_OK) == 0 {
      do throws(Failure) {
        final = try weights(files.weights, isFinal: true)
      } catch { remarks.append("The final weights cannot be read: \(error.cause).") }
    }
    if let final, final.step ?? 0 >= checkpoints.last ?? 0 { return final }
    for step in checkpoints.reversed() {
      do throws(Failure) {
        return try weights(store.path(ofStep: step), isFinal: false)
      } catch { remarks.append("A checkpoint cannot be read: \(error.cause).") }
    }
    return final
  }

  private static func weights(_ path: String, isFinal: Bool) throws(Failure) -> Weights {
    let file = try SafetensorsFile(weightsIn: path)
    return Weights(
      path: path, file: file, step: file.step, digest: WeightsDigest.of(file.tensors), isFinal: isFinal)
  }

  private static func name(of folder: String) -> String {
    let last = folder.split(separator: "/").last.map(String.init) ?? folder
    guard last == "." || last == "..", let path = realpath(folder, nil) else { return last }
    defer { free(path) }
    return String(cString: path).split(separator: "/").last.map(String.init) ?? last
  }
}
