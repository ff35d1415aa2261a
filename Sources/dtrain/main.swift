import Reporting

TextOutput.ignoreBrokenPipes()
Program.run(Array(CommandLine.arguments.dropFirst()))
