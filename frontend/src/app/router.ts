// Pages and their addresses. A page that needs a permission says so here; the frame shows "not allowed" in its place.
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'
import { useSession } from '@/api/session'
import { returnPath } from '@/ui/url-state'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's name, for breadcrumb and window title. */
    title?: string
    permission?: string
    /** The address above this one in the breadcrumb. */
    parent?: string
    public?: boolean
    /** The page uses the whole height itself, without scrolling of the frame. */
    fills?: boolean
  }
}

const pages: RouteRecordRaw[] = [
  {
    path: '', name: 'home',
    redirect: () => ({ name: useSession().may('executions:run') ? 'quick' : 'executions' }),
  },
  {
    path: 'quick', name: 'quick', component: () => import('@/features/execution/quick/QuickPage.vue'),
    meta: { title: 'app.nav.quick', permission: 'executions:run', fills: true },
  },
  {
    path: 'plans/new', name: 'plan', component: () => import('@/features/execution/plans/PlanPage.vue'),
    meta: { title: 'app.nav.plan', permission: 'executions:run' },
  },
  {
    path: 'files', name: 'files', component: () => import('@/features/execution/files/TransferPage.vue'),
    meta: { title: 'app.nav.files', permission: 'executions:run' },
  },
  {
    path: 'executions', name: 'executions', component: () => import('@/features/execution/records/RecordsPage.vue'),
    meta: { title: 'app.nav.executions', permission: 'executions:read' },
  },
  {
    path: 'executions/:id', name: 'execution', component: () => import('@/features/execution/live/LivePage.vue'), props: true,
    meta: { title: 'app.nav.execution', parent: 'executions', permission: 'executions:read', fills: true },
  },
  {
    path: 'hosts', name: 'hosts', component: () => import('@/features/hosts/inventory/HostsPage.vue'),
    meta: { title: 'app.nav.hosts', permission: 'hosts:read' },
  },
  {
    path: 'agents', name: 'agents', component: () => import('@/features/hosts/agents/AgentsPage.vue'),
    meta: { title: 'app.nav.agents', permission: 'agents:read' },
  },
  { path: ':rest(.*)*', name: 'missing', component: () => import('./MissingPage.vue'), meta: { title: 'app.nav.missing' } },
]

export function createConsoleRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('@/features/auth/login/LoginPage.vue'), meta: { title: 'app.nav.login', public: true } },
      { path: '/', component: () => import('./layout/AppLayout.vue'), children: pages },
    ],
    scrollBehavior: (to, from, kept) => (to.path === from.path ? (kept ?? undefined) : (kept ?? { top: 0 })),
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    try {
      await session.restore()
    } catch {
      return to.meta.public ? true : { name: 'login', query: { from: to.fullPath } }
    }
    if (to.meta.public) return session.isSignedIn ? returnPath(to.query.from) : true
    if (session.isSignedIn) return true
    return { name: 'login', query: to.fullPath === '/' ? {} : { from: to.fullPath } }
  })
  return router
}
