import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { parseProperties } from './java/properties.ts'

/**
 * The `release` file of a JDK, a JRE or a runtime that jlink made: OpenJDK's build puts it beside `bin` and `lib` (JEP 223
 * and 322 for the version, which is `1.8.0_412` before 9). Who built it stands in IMPLEMENTOR. A `release` file of anything
 * else has no JAVA_VERSION.
 */
export const jdk = {
  name: 'jdk',
  version: 1,
  maxBytes: 256 * 1024,
  wants: (path) => path.endsWith('/release'),
  *extract(file): Generator<Fact> {
    const properties = parseProperties(file.bytes)
    const value = (key: string) => properties.get(key)?.replace(/^"(.*)"$/, '$1')
    const version = value('JAVA_VERSION')
    if (version === undefined) return
    const maintainer = shortText(value('IMPLEMENTOR'))
    if (!isIdentity(version) || !/^\d/.test(version)) yield { problem: 'a JAVA_VERSION that is none' }
    else yield { package: { kind: 'program', name: 'java', version, ...(maintainer !== undefined && { maintainer }) } }
  },
} satisfies Extractor
