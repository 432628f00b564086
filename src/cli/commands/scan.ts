import { parseArgs } from 'node:util'
import { judgeScanned, sbomOf, scanTarget, type Scanned } from '../../flow/scan.ts'
import { LazaretError } from '../../kit/errors.ts'
import { severities, type Finding, type Severity } from '../../model/advisory.ts'
import type { Verdict } from '../../model/verdict.ts'
import { exit, type Command, type ExitCode, type Io } from '../command.ts'
import { scanOptions } from '../scan-options.ts'
import { table } from '../table.ts'

const formats = ['table', 'json', 'cyclonedx'] as const

export const scan: Command = {
  usage: 'TARGET [--format table|json|cyclonedx] [--fail-on SEVERITY] [--policy balanced|observe] [--platform OS/ARCH]',
  summary: 'Look into an image without a server, and say what is known to be wrong',
  details: [
    'TARGET: an image reference (without a host: Docker Hub), a Docker or OCI archive (gzip and zstd too),',
    'an OCI layout, a root file system, or - for an archive on standard input.',
    'Exit: 3 where --fail-on or --policy says no, 1 where the image can not be read.',
  ],
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args,
      options: {
        format: { type: 'string', default: 'table' },
        'fail-on': { type: 'string' },
        policy: { type: 'string' },
        platform: { type: 'string' },
      },
      strict: true,
      allowPositionals: true,
    })
    const [target, extra] = positionals
    if (target === undefined || extra !== undefined) throw new LazaretError('USAGE', 'one TARGET is wanted')
    const format = oneOf(formats, values.format, '--format')
    const failOn = values['fail-on'] === undefined ? undefined : oneOf(severities, values['fail-on'], '--fail-on')
    const policy = values.policy === undefined ? undefined : oneOf(['balanced', 'observe'] as const, values.policy, '--policy')
    const scanned = await scanTarget(target, scanOptions(values.platform, io))
    const verdict = policy === undefined ? undefined : judgeScanned(scanned, policy)
    print(format, scanned, verdict, io)
    return exitCode(scanned, verdict, failOn)
  },
}

function oneOf<const T extends string>(words: readonly T[], given: string, flag: string): T {
  const found = words.find((word) => word === given)
  if (found === undefined) throw new LazaretError('USAGE', `${flag} is one of ${words.join(', ')}, not ${given.slice(0, 60)}`)
  return found
}

function exitCode({ evidence }: Scanned, verdict: Verdict | undefined, failOn: Severity | undefined): ExitCode {
  if (evidence.doubts.some((note) => note.doubt === 'unreadable')) return exit.failed
  if (verdict?.decision === 'deny') return exit.refused
  const least = failOn === undefined ? undefined : severities.indexOf(failOn)
  const fails =
    least !== undefined && evidence.findings.some((finding) => finding.malicious || severities.indexOf(finding.severity) >= least)
  return fails ? exit.refused : exit.fine
}

function print(format: (typeof formats)[number], scanned: Scanned, verdict: Verdict | undefined, io: Io): void {
  if (format === 'json')
    io.out(`${JSON.stringify({ target: scanned.target, ...scanned.evidence, ...(verdict === undefined ? {} : { verdict }) }, null, 2)}\n`)
  else if (format === 'cyclonedx') io.out(`${JSON.stringify(sbomOf(scanned), null, 2)}\n`)
  else printTable(scanned, verdict, io)
}

function printTable({ target, evidence, advisoryAgeDays }: Scanned, verdict: Verdict | undefined, io: Io): void {
  const release = evidence.release?.prettyName ?? evidence.release?.id ?? 'no distribution'
  io.out(`${target}  ${evidence.digest}\n${release}, ${evidence.packages.length} packages, ${summary(evidence.findings)}\n`)
  for (const note of evidence.doubts) io.out(`${note.doubt}: ${note.detail}\n`)
  if (evidence.findings.length > 0)
    io.out(`\n${table(['SEVERITY', 'ID', 'PACKAGE', 'VERSION', 'FIXED IN'], evidence.findings.map(row), io.columns ?? 120)}`)
  if (verdict !== undefined)
    io.out(
      `\npolicy ${verdict.policy}: ${verdict.decision}\n${verdict.reasons.map((reason) => `  ${reason.rule}: ${reason.message}\n`).join('')}`,
    )
  if (advisoryAgeDays > 30) io.err(`lazaret: the advisories are ${advisoryAgeDays} days old: lazaret advisories import\n`)
}

function row(finding: Finding): string[] {
  const mark = finding.malicious ? ' malicious' : finding.knownExploited ? ' exploited' : ''
  return [`${finding.severity}${mark}`, finding.id, finding.packageName, finding.packageVersion, finding.fixedVersion ?? '']
}

function summary(findings: Finding[]): string {
  const counts = severities.map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const)
  const said = counts
    .filter(([, count]) => count > 0)
    .reverse()
    .map(([severity, count]) => `${count} ${severity}`)
  return said.length === 0 ? 'no findings' : said.join(', ')
}
