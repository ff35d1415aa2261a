import Communication
import Launching

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What MPI would send over, within a host and between hosts.
enum NetworkChecks {
  struct Interface: Equatable {
    let name: String
    /// Whether it leads to containers, virtual machines or tunnels instead of other hosts.
    let isVirtual: Bool
  }

  /// The interfaces that are up and have an IPv4 address, without the loopback.
  static func interfaces() -> [Interface] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var names: [String] = []
    var entry = list
    while let current = entry?.pointee {
      entry = current.ifa_next
      let flags = Int32(truncatingIfNeeded: current.ifa_flags)
      guard let address = current.ifa_addr, Int32(address.pointee.sa_family) == AF_INET, flags & 1 != 0, flags & 8 == 0
      else { continue }
      let name = String(cString: current.ifa_name)
      if !names.contains(name) { names.append(name) }
    }
    return names.map { Interface(name: $0, isVirtual: isVirtual($0)) }
  }

  static func isVirtual(_ name: String, exists: (String) -> Bool = { access($0, F_OK) == 0 }) -> Bool {
    let starts = [
      "docker", "br-", "veth", "virbr", "vnet", "cni", "flannel", "cali", "tun", "tap", "wg", "lxc", "lxd", "podman",
      "kube", "vmnet", "vboxnet", "tailscale", "zt",
    ]
    return starts.contains { name.hasPrefix($0) } || exists("/sys/class/net/\(name)/bridge")
      || exists("/sys/class/net/\(name)/tun_flags")
  }

  static func network(_ circumstances: Circumstances, interfaces: [Interface] = interfaces()) -> Finding {
    let name = "network"
    let parameters = circumstances.parameters
    if let included = parameters["btl_tcp_if_include"] {
      let names = included.split(separator: ",").map(String.init)
      let unknown = names.filter { name in
        !name.contains("/") && name != "lo" && !interfaces.contains { $0.name == name }
      }
      guard unknown.isEmpty else {
        return Finding(
          name, .failure,
          "\(parameters.origin("btl_tcp_if_include")) names \(unknown.joined(separator: ", ")), which is not up here",
          remedy: "name one of \(list(interfaces)), or a network such as 10.0.0.0/24")
      }
      return Finding(name, .ok, "between hosts over \(included), as btl_tcp_if_include says")
    }
    if let excluded = parameters["btl_tcp_if_exclude"] {
      return Finding(name, .ok, "between hosts over all but \(excluded), as btl_tcp_if_exclude says")
    }
    let virtual = interfaces.filter(\.isVirtual)
    let real = interfaces.filter { !$0.isVirtual }
    let choice = real.first?.name ?? "the one that leads to the other hosts"
    let remedy =
      "for a job over several hosts: export OMPI_MCA_btl_tcp_if_include=\(choice) OMPI_MCA_oob_tcp_if_include=\(choice)"
    if !virtual.isEmpty {
      return Finding(
        name, .warning, "between hosts MPI would also try \(list(virtual)), which lead to no other host", remedy: remedy
      )
    }
    if real.count > 1 {
      return Finding(
        name, .warning,
        "between hosts MPI would use all of \(list(real)); where one does not reach the others, it hangs",
        remedy: remedy)
    }
    return Finding(
      name, .ok, real.isEmpty ? "no interface but the loopback: this host alone" : "between hosts over \(list(real))")
  }

  private static func list(_ interfaces: [Interface]) -> String { interfaces.map(\.name).joined(separator: ", ") }

  /// Whether Open MPI's parameters leave the ranks a way to each other.
  static func transports(
    _ circumstances: Circumstances, _ hostfile: Hostfile?, library: String = MPILibrary.name
  ) -> Finding {
    let name = "transports"
    let parameters = circumstances.parameters
    for layer in ["pml", "mtl"] {
      // ob1 is the layer that uses the transports named by btl.
      if let chosen = parameters[layer], chosen.hasPrefix("^") ? chosen.contains("ob1") : chosen != "ob1" {
        return Finding(name, .ok, "\(parameters.origin(layer))=\(chosen): the trial tells")
      }
    }
    guard let text = parameters["btl"], !text.isEmpty else { return Finding(name, .ok, "as Open MPI chooses") }
    let isExclusion = text.hasPrefix("^")
    let named = Set(text.drop { $0 == "^" }.split(separator: ",").map(String.init))
    func isLeft(_ transport: String) -> Bool { named.contains(transport) != isExclusion }
    let shown = "\(parameters.origin("btl"))=\(text)"
    let remedy = "unset it, or set it to \(library.hasPrefix("Open MPI v5") ? "sm" : "vader"),tcp,self"
    guard isLeft("self") else {
      return Finding(name, .failure, "\(shown) leaves out self, without which MPI does not start", remedy: remedy)
    }
    // Open MPI 5 has the old name again.
    let within = [library.hasPrefix("Open MPI v5") ? "sm" : "vader", "tcp"].filter(isLeft)
    let between = ["tcp", "openib", "usnic", "ofi", "uct"].filter(isLeft)
    if within.isEmpty {
      return Finding(name, .failure, "\(shown) leaves ranks of one host no way to each other", remedy: remedy)
    }
    if let hosts = hostfile?.hosts.count, hosts > 1, between.isEmpty {
      return Finding(name, .failure, "\(shown) leaves ranks of \(hosts) hosts no way to each other", remedy: remedy)
    }
    return Finding(name, .ok, shown)
  }
}
