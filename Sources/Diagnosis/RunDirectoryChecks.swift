import Checkpoints
import Datasets
import Failures
import Launching
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where the files of a run would go. Whatever is made to find out is taken away again.
enum RunDirectoryChecks {
  /// Rights and space.
  static func directory(_ circumstances: Circumstances) -> Finding {
    let name = "run directory"
    let place = existingFolder(circumstances)
    let remedy = "choose another folder with --run-dir"
    guard let system = FileSystem(holding: place) else {
      return Finding(name, .failure, "\(place) cannot be entered: \(message())", remedy: remedy)
    }
    do throws(Failure) {
      try AtomicFile.probe(for: place + "/x")
    } catch {
      return Finding(name, .failure, error.cause, remedy: error.remedy)
    }
    let needed = neededBytes(circumstances)
    let found = "\(byteText(system.freeBytes)) free in \(place)"
    guard system.freeBytes >= needed else {
      return Finding(
        name, .failure, "\(found), where checkpoints and weights need \(byteText(needed))",
        remedy: "free some space there, \(remedy), or lower checkpoint.keep")
    }
    return Finding(name, .ok, "\(found); a run writes \(byteText(needed))")
  }

  /// Whether locks work there, and whether others see what is written.
  static func fileSystem(_ circumstances: Circumstances, _ hostfile: Hostfile?) -> Finding {
    let name = "file system"
    let place = existingFolder(circumstances)
    guard let system = FileSystem(holding: place), access(place, W_OK) == 0 else {
      return Finding(name, .skipped, "\(place) cannot be written")
    }
    do throws(Failure) {
      guard try locksHold(in: place) else {
        return Finding(
          name, .failure, "\(system.type): a second job is not kept out of a run's folder",
          remedy: "choose a folder on another file system with --run-dir")
      }
    } catch {
      return Finding(name, .failure, "\(system.type): \(error.cause)", remedy: error.remedy)
    }
    if system.isVolatile {
      return Finding(
        name, .warning, "\(system.type): what a run leaves is lost when the system stops, and takes memory",
        remedy: "choose a folder on a disk with --run-dir")
    }
    if let hosts = hostfile?.hosts.count, hosts > 1, !system.isShared {
      return Finding(
        name, .warning, "\(system.type), which the other hosts do not see; rank 0's host alone has the run's files",
        remedy: "to go on from another host, choose a shared folder with --run-dir")
    }
    return Finding(name, .ok, "\(system.type), locks hold")
  }

  /// The checkpoints that stay, the best, one more while it is written, the weights, and something for the metrics.
  static func neededBytes(_ circumstances: Circumstances) -> Int {
    let settings = circumstances.settings
    // The images' shape is known when the data are open; that of MNIST makes the size of a network that fits it.
    let network = try? settings.makeNetwork(for: ImageShape(channels: 1, height: 28, width: 28))
    let weights = 4 * (network?.parameters.count ?? 0) + (64 << 10)
    return 3 * weights * (settings.checkpoint.keep + 2) + weights + (10 << 20)
  }

  /// The folder of the run, or the nearest above it that is there.
  private static func existingFolder(_ circumstances: Circumstances) -> String {
    var path = circumstances.runFolder ?? "runs"
    var status = stat()
    while stat(path, &status) != 0, errno == ENOENT {
      guard let slash = path.lastIndex(of: "/") else { return "." }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    return path
  }

  private static func locksHold(in place: String) throws(Failure) -> Bool {
    let folder = "\(place)/.dtrain-doctor-\(getpid())"
    let directory = try RunDirectory.create(at: folder, configurationFile: nil)
    defer { rmdir(folder) }
    let lock = try RunLock.acquire(directory)
    defer { lock.release() }
    return (try? RunLock.acquire(directory)) == nil
  }

  private static func message() -> String { String(cString: strerror(errno)) }
}
