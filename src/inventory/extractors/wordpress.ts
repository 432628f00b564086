import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'

/** A plug-in is a file, or a folder with its file directly in it; a theme is a folder with a `style.css`. */
const plugin = /(?:^|\/)wp-content\/(plugins|mu-plugins)\/([^/]+)(?:\/[^/]+)?\.php$/
const theme = /(?:^|\/)wp-content\/(themes)\/([^/]+)\/style\.css$/
/** As much as WordPress itself looks at. */
const headBytes = 8192

/**
 * Plug-ins and themes of WordPress, by the header that WordPress reads, under the name of their folder, which is their name in
 * its directory. WordPress itself is told by its bytes (programs/catalogue.ts). No advisories here speak of either.
 * developer.wordpress.org, "Header Requirements" and "Main Stylesheet"; WordPress, `get_plugins`, `get_file_data`.
 */
export const wordpress = {
  name: 'wordpress',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => (path.endsWith('.php') && plugin.test(path)) || (path.endsWith('/style.css') && theme.test(path)),
  *extract({ path, bytes }): Generator<Fact> {
    const [, folder = '', file = ''] = plugin.exec(path) ?? theme.exec(path) ?? []
    const head = bytes.toString('utf8', 0, headBytes).replaceAll('\r', '\n')
    if (fieldOf(head, folder === 'themes' ? 'Theme Name' : 'Plugin Name') === undefined) return
    const name = `${folder}/${file}`
    const version = fieldOf(head, 'Version')
    if (isIdentity(name) && isIdentity(version)) yield { package: packageOf(name, version, fieldOf(head, 'License')) }
    else yield { unsupported: { kind: 'wordpress', component: true, name: `${shownName(name)} of a version that is not said` } }
  },
} satisfies Extractor

/** The first of its kind counts; what ends a comment or the code is no part of it. */
function fieldOf(head: string, name: string): string | undefined {
  const found = new RegExp(String.raw`^(?:[ \t]*<\?php)?[ \t/*#@]{0,64}${name}:(.{0,1024})$`, 'im').exec(head)?.[1]
  return shortText(found?.replace(/\s{0,64}(?:\*\/|\?>).*/, ''))
}

function packageOf(name: string, version: string, licence: string | undefined): Package {
  return { kind: 'wordpress', name, version, ...(licence !== undefined && { licence }) }
}

function shownName(name: string): string {
  return name.replaceAll(/[^\w./+-]/g, '?').slice(0, 200)
}
