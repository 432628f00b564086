import { ignoreRules } from '../../flow/scan/ignore/files.ts'
import type { ScanOptions, Scanned } from '../../flow/scan.ts'
import { LazaretError } from '../../kit/errors.ts'
import { severities, type Severity } from '../../model/advisory.ts'
import { exit, type ExitCode, type Io } from '../command.ts'
import { oneOf } from '../options.ts'
import { bar, bytesText, progressLine } from '../progress.ts'

/** From which severity on findings make the command fail, and whether only those that the change brought. */
export interface FailOn {
  least: Severity
  onlyNew: boolean
}

/** In: `high`, or `new:high`. Throws USAGE, also for `new:` where there is nothing to compare with. */
export function parseFailOn(text: string | undefined, baseline: string | undefined): FailOn | undefined {
  if (text === undefined) return undefined
  const onlyNew = text.startsWith('new:')
  if (onlyNew && baseline === undefined) throw new LazaretError('USAGE', '--fail-on new: compares with --baseline FILE, which is missing')
  return { least: oneOf(severities, onlyNew ? text.slice('new:'.length) : text, '--fail-on'), onlyNew }
}

/** A malicious package fails whatever its severity. */
export function failsOn({ findings }: Scanned, { least, onlyNew }: FailOn): boolean {
  return findings.some(
    ({ malicious, severity, isNew }) =>
      (!onlyNew || isNew === true) && (malicious || severities.indexOf(severity) >= severities.indexOf(least)),
  )
}

/** An image that could not be read whole is 1, whatever was found. */
export function exitCodeOf(scanned: Scanned, refuses: boolean): ExitCode {
  if (scanned.evidence.doubts.some(({ doubt }) => doubt === 'unreadable')) return exit.failed
  return refuses ? exit.refused : exit.fine
}

/** In: the files that were named, and whether none is to be read. Out: rules. Throws SETTING_INVALID, NOT_FOUND, USAGE. */
export async function readIgnores(io: Io, named: readonly string[], none: boolean): Promise<Pick<ScanOptions, 'ignores'>> {
  if (none && named.length > 0) throw new LazaretError('USAGE', '--no-ignore and --ignore-file exclude each other')
  return { ignores: none ? [] : await ignoreRules(io.cwd, named) }
}

/** Rules that did nothing are named, so that they are taken out, or mended. */
export function sayIdleRules({ rules }: Scanned, io: Io): void {
  for (const { file, name, use, detail } of rules)
    if (use !== 'used') io.err(`lazaret: ${file}: ${JSON.stringify(name.slice(0, 100)).slice(1, -1)} is ${use}: ${detail}\n`)
}

/** A bar on a terminal while a command reads layers; `end` clears it. */
export function scanProgress(io: Io, quiet: boolean): Pick<ScanOptions, 'onProgress'> & { end: () => void } {
  if (quiet || io.errColumns === undefined) return { end: () => undefined }
  const line = progressLine(io)
  return {
    onProgress: ({ layer, layers, bytes, totalBytes }) => {
      const share = totalBytes === undefined || totalBytes === 0 ? (layer - 1) / layers : bytes / totalBytes
      line.show(`${bar(share)} layer ${layer} of ${layers}, ${bytesText(bytes)}`)
    },
    end: line.end,
  }
}
