// The catalogue of permissions by area, in the reader's language.
import { areaOf, type Permission } from '@/api/rights'

export interface Area {
  area: string
  items: { name: string; text: string }[]
}

export function byArea(catalogue: readonly Permission[], chinese: boolean): Area[] {
  const found = new Map<string, Area>()
  for (const one of catalogue) {
    const area = areaOf(one.name)
    const held = found.get(area) ?? { area, items: [] }
    held.items.push({ name: one.name, text: chinese ? one.description_zh : one.description })
    found.set(area, held)
  }
  return [...found.values()]
}
