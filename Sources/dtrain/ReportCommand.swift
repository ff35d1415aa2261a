import Arguments
import Benchmarks
import Checkpoints
import Communication
import Failures
import Reporting
import RunReports

/// `dtrain report`.
enum ReportCommand: Subcommand {
  private static let output = Option(
    "output", letter: "o", placeholder: "FILE.html", expectation: "a name that ends in .html",
    help: "the page (default: report.html in the first run's folder)",
    read: { $0.hasSuffix(".html") && $0.utf8.count > 5 ? $0 : nil })
  private static let data = Option(
    "data", placeholder: "DIR", help: "the folder that holds the data set's files (default: as the run's settings say)")
  private static let profile = Flag(
    "profile",
    help: "measure here, in this process, where the time of the first run's steps goes, and keep it in its folder as "
      + "profile.json")

  static let syntax = CommandSyntax(
    name: "report", summary: "make a page about runs",
    discussion: "Writes one page of HTML that needs nothing beside itself: results, curves, what differs between the "
      + "runs, what the ranks did with their time, where a step's time goes, and what is confused with what, for which "
      + "the weights are tested anew where the test images are found.",
    options: [output, data, profile],
    operands: [Operand("RUN", .atLeastOne, help: "the folder of a run, such as runs/first")],
    examples: [
      Example("dtrain report runs/first", "the page is runs/first/report.html"),
      Example("dtrain report --output compared.html runs/first runs/second", "two runs side by side"),
      Example("dtrain report --profile runs/first", "with the time of each layer, as measured here"),
    ],
    exitCodes: [
      .success, .failure, .usage, .badData, .noInput, .unavailable, .software, .osError, .cannotCreate, .inputOutput,
      .noPermission, .configuration,
    ])

  static func run(_ arguments: ParsedArguments) throws(Failure) {
    try ProcessorCheck.verify()
    guard Ranks.launchedRank == nil else {
      throw Failure(.usage, "report is the work of one process", remedy: "start it without the launcher")
    }
    let folders = arguments.operands
    var runs: [RecordedRun] = []
    for folder in folders { runs.append(try RecordedRun(folder: folder)) }
    let path = arguments[output] ?? RunDirectory(path: runs[0].folder).report
    try AtomicFile.probe(for: path)
    let program = "\(Program.name) \(Program.version)"
    if arguments[profile] {
      if let profile = try StepProfile.measure(
        runs[0].settings, program: program, secondsPerRound: 1, on: SingleProcess())
      {
        try AtomicFile.write(profile.json.encoded + "\n", to: RunDirectory(path: runs[0].folder).profile)
      }
      runs[0] = try RecordedRun(folder: folders[0])
    }
    let page = ReportPage(runs, answers: runs.map { Answers(of: $0, data: arguments[data]) }, program: program)
    try AtomicFile.write(page.text, to: path)
    let output = TextOutput()
    output.writeLine("report \(path)")
    try output.finish()
  }
}
