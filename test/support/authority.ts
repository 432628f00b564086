// An authority of a test's own, and certificates by it.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from './run.ts'
import { scratch } from './scratch.ts'

export interface Authority {
  /** Its certificate, PEM. */
  file: string
  /** In: the names and addresses that a server has. Out: paths of its certificate, its key, and both in one file. */
  issue: (...names: string[]) => Promise<{ cert: string; key: string; both: string }>
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** In: the suite's stack, and what the authority is called. */
export async function openAuthority(stack: AsyncDisposableStack, name = 'authority of a test'): Promise<Authority> {
  const folder = await scratch(stack, 'authority')
  const [file, key] = [join(folder, 'ca.crt'), join(folder, 'ca.key')]
  await must('openssl', ['req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', file])
  let count = 0
  return {
    file,
    async issue(...names) {
      const at = count++
      const own = (ending: string) => join(folder, `${at}.${ending}`)
      const alternatives = names.map((one) => (/^[\d.]+$|:/.test(one) ? `IP:${one}` : `DNS:${one}`)).join(',')
      const asked = ['req', '-x509', ...newKey, '-days', '1', '-subj', `/CN=${names[0]}`, '-CA', file, '-CAkey', key]
      const extensions = ['-addext', `subjectAltName=${alternatives}`, '-addext', 'basicConstraints=critical,CA:FALSE']
      await must('openssl', [...asked, ...extensions, '-keyout', own('key'), '-out', own('crt')])
      const { stdout } = await must('cat', [own('crt'), own('key')])
      await writeFile(own('pem'), stdout)
      return { cert: own('crt'), key: own('key'), both: own('pem') }
    },
  }
}
