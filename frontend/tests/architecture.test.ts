import { describe, expect, it } from 'vitest'

const files = import.meta.glob<string>(['../src/**/*.{ts,vue,css}', '!../src/api/schema.d.ts'], { eager: true, query: '?raw', import: 'default' })
const sources = Object.entries(files).map(([path, text]) => ({ path: path.replace('../', ''), text }))

const LAYERS: Record<string, readonly string[]> = {
  api: ['api'],
  ui: ['ui'],
  features: ['api', 'ui', 'features'],
  app: ['api', 'ui', 'features', 'app'],
}

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)
}

/** What a path like src/features/hosts/agents/x.vue belongs to. */
function placeOf(path: string): { layer: string; feature: string } {
  const [, layer = '', context = '', feature = ''] = path.split('/')
  return { layer, feature: layer === 'features' ? `${context}/${feature}` : '' }
}

function targetOf(path: string, target: string): string | null {
  if (target.startsWith('@/')) return `src/${target.slice(2)}`
  if (!target.startsWith('.')) return null
  const parts = path.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function brokenRules(path: string, text: string): string[] {
  const here = placeOf(path)
  return importsOf(text).flatMap((target) => {
    const full = targetOf(path, target)
    if (full === null) return []
    const there = placeOf(full)
    if (!LAYERS[here.layer]?.includes(there.layer)) return [`${path} imports ${full}`]
    const foreign = here.layer === 'features' && there.layer === 'features' && there.feature !== here.feature
    return foreign ? [`${path} imports the feature ${there.feature}`] : []
  })
}

describe('rooms', () => {
  it('are kept: app → features → ui and api, and no feature knows another', () => {
    expect(sources.length).toBeGreaterThan(60)
    expect(sources.flatMap(({ path, text }) => brokenRules(path, text))).toEqual([])
  })

  it.each([
    ['src/features/hosts/agents/a.ts', "import x from '@/features/hosts/inventory/b'"],
    ['src/features/hosts/agents/a.ts', "import x from '../inventory/b'"],
    ['src/features/hosts/agents/a.ts', "import { i18n } from '@/app/i18n'"],
    ['src/ui/a.ts', "import { api } from '@/api/client'"],
    ['src/api/a.ts', "const x = await import('@/ui/time')"],
  ])('are guarded: %s with %s is caught', (path, text) => {
    expect(brokenRules(path, text)).toHaveLength(1)
  })
})

describe('files', () => {
  it('have at most 400 lines', () => {
    expect(sources.filter(({ text }) => text.split('\n').length > 400).map(({ path }) => path)).toEqual([])
  })

  it('name colours in the theme only', () => {
    const literal = /#[0-9a-f]{3,8}\b(?![^<]*<\/RouterLink>)|\b(?:rgba?|hsla?|oklch)\(\s*\d/i
    const guilty = sources.filter(({ path, text }) => path !== 'src/app/theme.css' && literal.test(text.replaceAll(/#page|#app/g, '')))

    expect(guilty.map(({ path }) => path)).toEqual([])
  })

  it('never put text in as HTML', () => {
    expect(sources.filter(({ text }) => /v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('bring the style of every Element Plus part along', () => {
    const styles = sources.find(({ path }) => path === 'src/app/element.ts')?.text ?? ''
    const used = new Set(sources.flatMap(({ text }) => [...text.matchAll(/import \{([^}]+)\} from 'element-plus'/g)].flatMap((match) => (match[1] as string).split(',').map((name) => name.trim()))))
    const unstyled = [...used].filter((name) => name !== 'ElConfigProvider').filter((name) => {
      const kebab = name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()
      return !styles.includes(`/${kebab}.css`)
    })

    expect(used.size).toBeGreaterThan(10)
    expect(unstyled).toEqual([])
  })
})
