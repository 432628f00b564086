// Module streams of Red Hat's family: `nodejs:18` and `nodejs:20` hold packages of one name, which no order of versions tells apart.

/** In: the label of a package, `NAME:STREAM:VERSION:CONTEXT`. Out: `NAME:STREAM`; undefined where it is none. */
export function moduleOf(label: string | undefined): string | undefined {
  return /^[^:\s]+:[^:\s]+(?=:|$)/.exec(label ?? '')?.[0]
}

/** Whether a version was built for some module: its release says so, `4.module_el8.5.0+119+9a9ec082`. */
export function isModular(version: string): boolean {
  return /\.module[_+]/.test(version)
}

/**
 * In: the title of an erratum. Out: the streams that it names, `virt:rhel and virt-devel:rhel bug fix update` → both; none
 * where it names none. The severity in front (`Moderate: `) is no stream.
 */
export function streamsIn(title: string): string[] {
  return [
    ...new Set(
      [...title.matchAll(/(?<![\w.+/:-])[A-Za-z][\w.+-]*:\w[\w.+-]*(?![\w.+:-])/g)].map(([stream]) => stream.replace(/[.+-]+$/, '')),
    ),
  ]
}
