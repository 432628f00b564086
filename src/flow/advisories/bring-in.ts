import { importAdvisories, type ImportOptions, type ImportReport } from '../../advisories/import.ts'
import { parseTrustedKey } from '../../advisories/signed/keys.ts'
import { isSignedExport } from '../../advisories/signed/read.ts'
import { takeSigned } from '../../advisories/signed/take.ts'
import { LazaretError } from '../../kit/errors.ts'

export interface BringOptions extends ImportOptions {
  /** Whose signed exports are taken. */
  trustedKeys: readonly string[]
  allowUnsigned?: boolean | undefined
  older?: boolean | undefined
}

/**
 * In: files and folders of advisory data, or one signed export alone, as that replaces what is there. Out: what was read, and the
 * revision in force now. Throws as `importAdvisories` and `takeSigned` do, USAGE for an export beside other data.
 */
export async function bringIn(paths: readonly string[], dataFolder: string, options: BringOptions): Promise<ImportReport> {
  const { trustedKeys, allowUnsigned = false, older = false, ...rest } = options
  const first = await firstExport(paths)
  if (first !== undefined && paths.length > 1)
    throw new LazaretError('USAGE', `${first} is a signed export, which replaces what is there: bring it in alone`)
  if (first === undefined && (allowUnsigned || older))
    throw new LazaretError('USAGE', '--allow-unsigned and --older are for a signed export, and this is none')
  if (first === undefined) return importAdvisories(paths, dataFolder, rest)
  return takeSigned(first, dataFolder, { trusted: trustedKeys.flatMap((text) => parseTrustedKey(text) ?? []), allowUnsigned, older })
}

async function firstExport(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isSignedExport(path)) return path
  return undefined
}
