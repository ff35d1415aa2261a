import Foundation
import Testing

extension EndToEnd {
  @Suite struct ReportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func train(_ name: String, _ more: [String] = [], ranks: Int? = nil) throws {
      let run = try Launch(ranks: ranks, folder: folder.url).run(
        ["train", "--max-steps", "8", "--quiet", "--run-dir", name] + ShortRun.settings + more)
      run.expectOrderlyEnd(0)
    }

    private func report(_ arguments: String..., status: Int32 = 0) throws -> Execution {
      let run = try Launch(folder: folder.url).run(["report"] + arguments)
      run.expectOrderlyEnd(status)
      return run
    }

    private func page(_ name: String) throws -> String {
      try String(contentsOfFile: folder.path(name), encoding: .utf8)
    }

    @Test func aPageOfOneRun() throws {
      try train("run", ranks: Launch.isMPIPossible ? 2 : nil)
      let digest = try #require(
        try Launch(folder: folder.url).run(["inspect", "run/weights.safetensors"]).line("weights digest "))
      let run = try report("run")
      #expect(run.line("report ") == "report run/report.html")
      let page = try page("run/report.html")
      #expect(page.contains(digest.dropFirst("weights digest ".count)))
      for text in ["Test accuracy", "<svg", "Truth (rows)", "synthetic-digits", "--max-steps 8", "training.batch"] {
        #expect(page.contains(text), "\(text)")
      }
      #expect(page.contains("mpirun -n 2") == Launch.isMPIPossible)
      #expect(!page.contains("these are other images"))
      // Nothing is asked for from elsewhere, and nothing runs.
      for text in ["http:", "https:", "<script", "<link rel=\"stylesheet", "url(", "@import", "NaN", "inf "] {
        #expect(!page.contains(text), "\(text)")
      }
    }

    @Test func samplesHeldBackHaveACurve() throws {
      for name in ["first", "second"] { try train(name, ["dataset.validation_samples=20"]) }
      _ = try report("first")
      let one = try page("first/report.html")
      #expect(one.contains("validation, epoch 1: ") && one.contains("test, epoch "))
      _ = try report("--output", "both.html", "first", "second")
      #expect(try page("both.html").contains("Validation loss"))
      try train("plain")
      _ = try report("plain")
      #expect(try !page("plain/report.html").contains("validation, epoch"))
      // Three figures an epoch, beside the test's.
      #expect(one.contains(">validation errors<") && one.contains(">test errors<"))
      #expect(try !page("plain/report.html").contains(">validation errors<"))
    }

    @Test func severalRunsSideBySide() throws {
      try train("a & b")
      try train("second", ["seed=1"])
      try train("twin")
      try FileManager.default.createDirectory(
        at: folder.url.appending(path: "other"), withIntermediateDirectories: true)
      try train("other/twin")
      _ = try report("--output", "all/together.html", "a & b", "second", "twin", "other/twin/")
      let page = try page("all/together.html")
      #expect(page.contains("a &amp; b") && !page.contains("a & b"))
      #expect(page.contains("<code>seed</code></th><td>0</td><td>1</td>"))
      #expect(page.contains("the bits of a &amp; b"))
      #expect(page.contains("other/twin"))
    }

    @Test func whatIsMissingIsSaid() throws {
      try train("run", ["dataset.test_samples=50"])
      try FileManager.default.removeItem(atPath: folder.path("run/weights.safetensors"))
      _ = try report("run")
      #expect(try page("run/report.html").contains("did not come to its end"))
      try FileManager.default.removeItem(atPath: folder.path("run/checkpoints"))
      let metrics = try page("run/metrics.jsonl")
      try String(metrics.dropLast(9)).write(toFile: folder.path("run/metrics.jsonl"), atomically: true, encoding: .utf8)
      _ = try report("run")
      let torn = try page("run/report.html")
      #expect(torn.contains("has no end") && torn.contains("no weights yet"))
      let settings = try page("run/configuration.yaml")
      try settings.replacing("name: synthetic-digits", with: "name: mnist").replacing(
        "path: null", with: "path: /nowhere"
      )
      .write(toFile: folder.path("run/configuration.yaml"), atomically: true, encoding: .utf8)
      try "\(metrics.prefix(300))\n\(metrics)".write(
        toFile: folder.path("run/metrics.jsonl"), atomically: true, encoding: .utf8)
      let failed = try report("run", status: 65)
      #expect(failed.errors.contains("run/metrics.jsonl: line "))
    }

    @Test func dataThatAreNotFoundAreSaid() throws {
      try train("run")
      let path = folder.path("run/configuration.yaml")
      let settings = try page("run/configuration.yaml")
      try settings.replacing("name: synthetic-digits", with: "name: mnist").replacing(
        "path: null", with: "path: /nowhere"
      )
      .write(toFile: path, atomically: true, encoding: .utf8)
      _ = try report("run")
      #expect(try page("run/report.html").contains("could not be tested here: dataset.path (/nowhere)"))
    }

    @Test func theProfileIsMeasuredOnRequest() throws {
      try train("run")
      _ = try report("--profile", "run")
      #expect(try page("run/report.html").contains("convolution 2"))
      try "{}".write(toFile: folder.path("run/profile.json"), atomically: true, encoding: .utf8)
      #expect(try report("run", status: 65).errors.contains("run/profile.json"))
    }

    @Test(arguments: [
      (["report"], 64, "RUN"), (["report", "/nowhere"], 66, "/nowhere: there is no such folder"),
      (["report", "."], 66, "has no configuration.yaml"), (["report", "/dev/null"], 66, "no folder of a run"),
      (["report", "--output", "x.txt", "."], 64, "ends in .html"),
    ])
    func whatIsNoRunIsRefused(_ arguments: [String], _ code: Int32, _ expected: String) throws {
      let run = try Launch(folder: folder.url).run(arguments)
      run.expectOrderlyEnd(code)
      #expect(run.errors.hasPrefix("dtrain: ") && run.errors.contains(expected), "\(run.errors)")
      #expect(run.errors.count { $0 == "\n" } == 1)
    }

    /// As a browser shows it, at the width of a desk's screen and of a phone's.
    @Test(.enabled(if: Browser.isWanted, "Chromium is not installed")) func everyFigureHasASizeInABrowser() throws {
      for name in ["run", "wide mmmm"] { try train(name, ["reporting.tensorboard=false"]) }
      _ = try report("--profile", "run")
      _ = try report("-o", "run/both.html", "run", "wide mmmm")
      for (page, figures) in [("report", 4), ("both", 6)] { try expectSizes(of: page, figures: figures) }
    }

    private func expectSizes(of page: String, figures: Int) throws {
      let harness = """
        <!DOCTYPE html><body><iframe id="page" src="run/\(page).html" style="border:0;height:2000px"></iframe><script>
        const frame = document.getElementById("page"), results = [];
        frame.onload = () => {
          const page = frame.contentDocument;
          for (const details of page.querySelectorAll("details")) details.open = true;
          for (const width of [1200, 390]) {
            frame.style.width = width + "px";
            const root = page.documentElement;
            const shown = [...page.querySelectorAll("svg, img, table, .card")].filter(e => getComputedStyle(e).display != "none"
              && frame.contentWindow.getComputedStyle(e).display != "none");
            const empty = shown.filter(e => e.getBoundingClientRect().width < 20 || e.getBoundingClientRect().height < 20);
            const inside = (text, figure) => text.width == 0 || text.left >= figure.left - 1 && text.right <= figure.right + 1;
            const cut = shown.filter(e => e.tagName == "svg").flatMap(e => [...e.querySelectorAll("text")].filter(t =>
              !inside(t.getBoundingClientRect(), e.getBoundingClientRect())));
            const images = [...page.images].filter(e => e.naturalWidth == 0);
            results.push({width: width, shown: shown.length, svg: shown.filter(e => e.tagName == "svg").length,
              empty: empty.length, cut: cut.length, broken: images.length, overflow: root.scrollWidth - root.clientWidth});
          }
          document.body.textContent = JSON.stringify(results);
        };
        </script>
        """
      try harness.write(toFile: folder.path("harness.html"), atomically: true, encoding: .utf8)
      let (document, log) = try Browser.open(folder.path("harness.html"))
      #expect(!log.contains("CONSOLE"), "\(log)")
      let start = try #require(document.range(of: "[{")).lowerBound
      let end = try #require(document.range(of: "}]")).upperBound
      let results = try #require(
        try JSONSerialization.jsonObject(with: Data(document[start..<end].utf8)) as? [[String: Int]])
      #expect(results.count == 2)
      for result in results {
        #expect(result["svg"] == figures && result["shown"] ?? 0 > 12, "\(result)")
        #expect(result["cut"] == 0, "\(result)")
        #expect(result["empty"] == 0 && result["broken"] == 0 && result["overflow"] == 0, "\(result)")
      }
    }
  }
}

/// Chromium without a window, where it is installed.
enum Browser {
  private static let program = ["chromium", "chromium-browser", "google-chrome"].lazy.compactMap(Launch.find).first

  static let isWanted = program != nil

  /// - Returns: the document when its scripts have run, and what the browser said meanwhile.
  static func open(_ file: String) throws -> (document: String, log: String) {
    let files = try TemporaryFolder()
    let (output, errors) = (files.url.appending(path: "output"), files.url.appending(path: "errors"))
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    let process = Process()
    process.executableURL = Launch.find("timeout")
    process.arguments = [
      "--kill-after=5", "100", try #require(program).path, "--headless=new", "--no-sandbox", "--disable-gpu",
      "--allow-file-access-from-files", "--enable-logging=stderr", "--virtual-time-budget=20000",
      "--user-data-dir=\(files.path("profile"))", "--dump-dom", "file://\(file)",
    ]
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return (try String(contentsOf: output, encoding: .utf8), try String(contentsOf: errors, encoding: .utf8))
  }
}
