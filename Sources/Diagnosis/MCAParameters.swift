/// Open MPI's parameters: the environment goes before the user's file, and that before the system's.
struct MCAParameters {
  let environment: [String: String]
  private let files: [String: String]

  /// - Parameter read: the content of a file, nil where it cannot be read.
  init(environment: [String: String], read: (String) -> String? = SystemFile.text) {
    self.environment = environment
    var paths = environment["OMPI_MCA_mca_base_param_files"].map { $0.split(separator: ":").map(String.init) } ?? []
    if paths.isEmpty {
      paths = (environment["HOME"].map { ["\($0)/.openmpi/mca-params.conf"] } ?? [])
      paths.append("/etc/openmpi/openmpi-mca-params.conf")
    }
    var values: [String: String] = [:]
    for path in paths.reversed() {
      for line in SystemFile.lines(read(path) ?? "") where !line.hasPrefix("#") {
        let parts = line.split(separator: "=", maxSplits: 1).map(SystemFile.trimmed)
        if parts.count == 2 { values[parts[0]] = parts[1] }
      }
    }
    files = values
  }

  /// A parameter's value; nil where it is not set.
  subscript(name: String) -> String? { environment["OMPI_MCA_\(name)"] ?? files[name] }

  /// Whether a switch is on.
  func isOn(_ name: String) -> Bool {
    self[name].map { ["1", "true", "yes", "on"].contains($0.lowercased()) } ?? false
  }

  /// Where a parameter is set, for a message.
  func origin(_ name: String) -> String { environment["OMPI_MCA_\(name)"] != nil ? "OMPI_MCA_\(name)" : name }

  /// Whether more ranks than slots are allowed, in the way of Open MPI 4 or 5.
  var allowsOversubscription: Bool {
    let policies = [
      self["rmaps_base_mapping_policy"], environment["PRTE_MCA_rmaps_default_mapping_policy"],
    ]
    return isOn("rmaps_base_oversubscribe")
      || policies.contains { $0?.lowercased().split(separator: ":").contains("oversubscribe") ?? false }
  }
}
