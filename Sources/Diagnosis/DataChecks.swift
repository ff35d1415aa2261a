import Datasets
import Failures

/// The data set: that it is there, whole, and what its authors have published.
enum DataChecks {
  static func data(_ circumstances: Circumstances) -> Finding {
    let settings = circumstances.settings
    do throws(Failure) {
      for subset in Subset.allCases { _ = try settings.openDataset(subset) }
      let name = settings.dataset.name.rawValue
      guard let files = try PublishedFiles.compare(name: name, path: settings.dataset.path) else {
        return Finding("data", .ok, "\(name) needs no file")
      }
      guard files.others.isEmpty else {
        return Finding(
          "data", .warning, "\(files.others.joined(separator: ", ")): whole, but not \(name) as it was published",
          remedy: "if it is to be \(name), get it again: launch/fetch-mnist.sh, or Debian's dataset-fashion-mnist")
      }
      return Finding("data", .ok, "\(name) in \(files.folder), as it was published")
    } catch {
      return Finding("data", .failure, error.cause, remedy: error.remedy)
    }
  }
}
