import { parseArgs } from 'node:util'
import about from '../../../package.json' with { type: 'json' }
import { judgeScanned, scanTarget, type Scanned } from '../../flow/scan.ts'
import { cycloneDxOf, spdxOf } from '../../flow/scan/documents.ts'
import { sarifOf } from '../../flow/scan/sarif.ts'
import type { Verdict } from '../../model/verdict.ts'
import { type Command, type Io } from '../command.ts'
import { jsonText, oneOf, onlyOne } from '../options.ts'
import { scanOptions } from '../scan-options.ts'
import { exitCodeOf, failsOn, parseFailOn, readIgnores, sayIdleRules, scanProgress } from '../scan/flags.ts'
import { reportText } from '../scan/report.ts'

const formats = ['table', 'json', 'sarif', 'cyclonedx', 'spdx'] as const

export const scan: Command = {
  usage:
    'TARGET [--format table|json|sarif|cyclonedx|spdx] [--fail-on [new:]SEVERITY] [--baseline FILE] [--policy balanced|observe] [--platform OS/ARCH] [--attached-sbom] [--ignore-file FILE]… [--no-ignore] [--all] [--quiet]',
  summary: 'Look into an image without a server, and say what is known to be wrong',
  details: [
    'TARGET: an image reference (without a host: Docker Hub), a Docker or OCI archive (gzip and zstd too),',
    'an OCI layout, a root file system, an SBOM in JSON (CycloneDX, SPDX, or a scan that was kept),',
    'or - for an archive or an SBOM on standard input.',
    'What lies in the current folder is heeded, and each of its lines used or named: .lazaretignore.yaml,',
    '.trivyignore, .trivyignore.yaml, .grype.yaml, osv-scanner.toml. --policy judges as a server would,',
    'and knows of none of them.',
    '--baseline: a scan or an SBOM of what was there before; --fail-on new:high fails for what the change',
    'brought, not for news about what was there.',
    'Exit: 3 where --fail-on or --policy says no, 1 where the image can not be read.',
  ],
  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const target = onlyOne(positionals, 'TARGET')
    const format = oneOf(formats, values.format, '--format')
    const failOn = parseFailOn(values['fail-on'], values.baseline)
    const policy = values.policy === undefined ? undefined : oneOf(['balanced', 'observe'] as const, values.policy, '--policy')
    const scanned = await scanWith(target, values, io)
    const verdict = policy === undefined ? undefined : judgeScanned(scanned, policy)
    print(format, scanned, verdict, values.all, io)
    if (!values.quiet) sayNotes(scanned, io)
    return exitCodeOf(scanned, verdict?.decision === 'deny' || (failOn !== undefined && failsOn(scanned, failOn)))
  },
}

const options = {
  format: { type: 'string', default: 'table' },
  'fail-on': { type: 'string' },
  baseline: { type: 'string' },
  policy: { type: 'string' },
  platform: { type: 'string' },
  'attached-sbom': { type: 'boolean', default: false },
  'ignore-file': { type: 'string', multiple: true, default: [] as string[] },
  'no-ignore': { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
} as const

interface Values {
  platform?: string | undefined
  baseline?: string | undefined
  'attached-sbom': boolean
  'ignore-file': string[]
  'no-ignore': boolean
  quiet: boolean
}

async function scanWith(target: string, values: Values, io: Io): Promise<Scanned> {
  const ignores = await readIgnores(io, values['ignore-file'], values['no-ignore'])
  const { end, ...progress } = scanProgress(io, values.quiet)
  const { baseline } = values
  try {
    return await scanTarget(target, {
      ...scanOptions(values.platform, io),
      ...ignores,
      ...progress,
      ...(baseline !== undefined && { baseline }),
      attachedSbom: values['attached-sbom'],
    })
  } finally {
    end()
  }
}

function print(format: (typeof formats)[number], scanned: Scanned, verdict: Verdict | undefined, all: boolean, io: Io): void {
  const { target, evidence } = scanned
  if (format === 'table') io.out(reportText(scanned, verdict, all, io))
  else if (format === 'json') io.out(jsonText(jsonOf(scanned, verdict)))
  else if (format === 'sarif') io.out(jsonText(sarifOf({ ...scanned, version: about.version })))
  else io.out(jsonText(format === 'cyclonedx' ? cycloneDxOf(target, evidence) : spdxOf(target, evidence)))
}

/** Evidence with the findings that count, each with its places. */
function jsonOf({ target, evidence, advisoryAgeDays: _, ...rest }: Scanned, verdict: Verdict | undefined): object {
  return { target, ...evidence, ...rest, ...(verdict === undefined ? {} : { verdict }) }
}

function sayNotes(scanned: Scanned, io: Io): void {
  sayIdleRules(scanned, io)
  const { advisoryAgeDays } = scanned
  if (advisoryAgeDays > 30) io.err(`lazaret: the advisories are ${advisoryAgeDays} days old: lazaret advisories import\n`)
}
