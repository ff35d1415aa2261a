import Communication
import Configuration
import Failures
import Launching

/// Cores, slots and how ranks are bound, against the ranks that are meant.
enum SlotChecks {
  /// The hosts that are meant: those of `--hostfile`, or of Open MPI's parameter.
  static func hostfile(_ circumstances: Circumstances) throws(Failure) -> Hostfile? {
    guard let path = circumstances.hostfile ?? circumstances.parameters["orte_default_hostfile"] else { return nil }
    return try Hostfile(reading: path)
  }

  static func cores(_ circumstances: Circumstances, cores: Int = PhysicalCores.count) -> Finding {
    let threads = circumstances.settings.training.threads
    let here = "\(cores) core\(cores == 1 ? "" : "s")"
    guard let ranks = circumstances.ranks, circumstances.hostfile == nil else {
      return Finding("cores", .ok, "this process may use \(here)")
    }
    if ranks * max(1, threads) > cores {
      let each = threads > 1 ? " of \(threads) threads each" : ""
      return Finding(
        "cores", .warning, "\(ranks) ranks\(each) share \(here): they run, and slower than \(cores) would",
        remedy: "start \(max(1, cores / max(1, threads))) ranks, or give the job more cores (taskset, control group)")
    }
    return Finding("cores", .ok, "\(here) for \(ranks) ranks")
  }

  /// Whether mpirun would start so many ranks.
  static func slots(
    _ circumstances: Circumstances, _ hostfile: Hostfile?, cores: Int = PhysicalCores.count
  ) -> Finding {
    let isFile = hostfile != nil
    let slots = hostfile?.hosts.reduce(0) { $0 + ($1.slots ?? cores) } ?? cores
    let place =
      hostfile.map { "\($0.hosts.count) host\($0.hosts.count == 1 ? "" : "s") of the hostfile" } ?? "this host"
    let found = "\(slots) slot\(slots == 1 ? "" : "s") on \(place)"
    guard let ranks = circumstances.ranks else { return Finding("slots", .ok, found) }
    guard ranks > slots else { return Finding("slots", .ok, "\(found) for \(ranks) ranks") }
    if circumstances.parameters.allowsOversubscription {
      return Finding(
        "slots", .warning, "\(found) for \(ranks) ranks, which Open MPI's parameters allow",
        remedy: "start at most \(slots) ranks where speed counts")
    }
    return Finding(
      "slots", .failure, "\(found) are fewer than \(ranks) ranks: mpirun starts none",
      remedy: "start at most \(slots), or "
        + (isFile
          ? "raise slots=N in the hostfile" : ". launch/environment.sh, which sets OMPI_MCA_rmaps_base_oversubscribe=1")
    )
  }

  /// A batch has so many microbatches, and each rank needs one.
  static func microbatches(_ circumstances: Circumstances) -> Finding {
    let training = circumstances.settings.training
    let count = (training.batch + training.microbatch - 1) / training.microbatch
    let found = "\(count) microbatches of \(training.microbatch) in a batch of \(training.batch)"
    guard let ranks = circumstances.ranks else { return Finding("microbatches", .ok, found) }
    guard ranks > count else { return Finding("microbatches", .ok, "\(found) for \(ranks) ranks") }
    return Finding(
      "microbatches", .failure, "\(found): fewer than \(ranks) ranks",
      remedy: "start at most \(count) ranks, or set training.microbatch to \(max(1, training.batch / ranks)) or less")
  }

  static func binding(_ circumstances: Circumstances, cores: Int = PhysicalCores.count) -> Finding {
    let parameters = circumstances.parameters
    let ranks = circumstances.ranks ?? 2
    if ranks > cores && circumstances.hostfile == nil {
      return Finding("binding", .ok, "more ranks than cores: none is bound")
    }
    if let policy = parameters["hwloc_base_binding_policy"] {
      return policy == "none"
        ? Finding(
          "binding", .warning, "\(parameters.origin("hwloc_base_binding_policy"))=none: ranks move between cores",
          remedy: "unset it, unless several jobs share this host")
        : Finding("binding", .ok, "to \(policy)")
    }
    let mapping = parameters["rmaps_base_mapping_policy"] ?? ""
    if ranks > 2 && !mapping.hasPrefix("core") {
      return Finding(
        "binding", .warning, "Open MPI binds more than two ranks to sockets, not to cores",
        remedy: ". launch/environment.sh, or export OMPI_MCA_rmaps_base_mapping_policy=core")
    }
    return Finding("binding", .ok, "each rank to a core of its own; a second job on this host needs --bind-to none")
  }
}
