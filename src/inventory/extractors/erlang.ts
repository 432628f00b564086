import type { Extractor, Fact } from '../extractor.ts'
import { isPretended } from '../text/pretended.ts'
import { application, factOf, metadata, mostApplicationBytes, unread } from './erlang/application.ts'

const otpVersion = /(?:^|\/)releases\/\d{1,3}\/OTP_VERSION$/

/**
 * What runs on the Erlang machine: applications, Erlang's and Elixir's alike, by `ebin/NAME.app`, which the machine itself
 * reads; packages as Hex unpacked them, by `hex_metadata.config`; and the release of Erlang/OTP. An application does not say
 * where it came from: one that is not of OTP or Elixir is taken for the package of Hex of its name, and evidence says that.
 * Erlang, app(5); Elixir, `mix release`; hexpm/specifications, package_metadata.md. Archives: erlang-archive.ts.
 */
export const erlang = {
  name: 'erlang',
  version: 2,
  maxBytes: mostApplicationBytes,
  wants: (path) => (path.endsWith('.app') || path.endsWith('/hex_metadata.config') || path.endsWith('/OTP_VERSION')) && isWanted(path),
  *extract({ path, bytes }): Generator<Fact> {
    if (otpVersion.test(path)) yield* releaseOf(bytes)
    else yield factOf(path, bytes)
  },
} satisfies Extractor

function isWanted(path: string): boolean {
  return application.test(path) || metadata.test(path) ? !isPretended(insideOf(path)) : otpVersion.test(path)
}

/** The folders below the root of the application that comes first in a path: `lib/NAME/…`, `deps/NAME/…`. */
function insideOf(path: string): string[] {
  const folders = path.split('/').slice(0, -1)
  const root = folders.findIndex((folder) => folder === 'lib' || folder === 'deps' || folder === 'plugins')
  return root < 0 ? [] : folders.slice(root + 2)
}

function* releaseOf(bytes: Buffer): Generator<Fact> {
  const version = bytes.toString('latin1', 0, 64).trim().replace(/\*\*$/, '')
  if (/^\d+(?:\.\d+)*(?:-rc\d+)?$/.test(version)) yield { package: { kind: 'program', name: 'erlang', version } }
  else yield unread('Erlang/OTP of a version that is not said')
}
