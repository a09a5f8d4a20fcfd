// Generated from openapi.json by "npm run generate"; never edited by hand.

export interface paths {
    "/api/auth/login/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_auth_login_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/logout/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_auth_logout_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_auth_me_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/password/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_auth_password_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_hosts_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/{host_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_hosts_host_id_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/hosts/groups/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_hosts_groups_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_agents_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/disable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_agents_agent_id_disable_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/agents/{agent_id}/enable/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_agents_agent_id_enable_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/quick/execute_script/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_quick_execute_script_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_executor_execution-records_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_executor_execution-records_execution_id_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/tasks/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_executor_execution-records_execution_id_tasks_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/cancel/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["post_api_executor_execution-records_execution_id_cancel_"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/executor/execution-records/{execution_id}/logs/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["get_api_executor_execution-records_execution_id_logs_"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** UserOut */
        UserOut: {
            id: number;
            username: string;
            roles: string[];
            permissions: string[];
            is_active: boolean;
            must_change_password: boolean;
        };
        /** LoginIn */
        LoginIn: {
            username: string;
            password: string;
        };
        /** LoginOut */
        LoginOut: {
            access_token: string;
            refresh_token: string;
            expires_in: number;
            user: components["schemas"]["UserOut"];
        };
        /** PasswordIn */
        PasswordIn: {
            current_password: string;
            new_password: string;
        };
        /** HostMetrics */
        HostMetrics: {
            cpu_percent?: number | null;
            memory_percent?: number | null;
            disk_percent?: number | null;
        };
        /** GroupRef */
        GroupRef: {
            id: number;
            name: string;
        };
        /** HostRow */
        HostRow: {
            id: number;
            name: string;
            ip_address: string;
            port: number;
            os_type: string | null;
            description: string;
            groups: components["schemas"]["GroupRef"][];
            tags: string[];
            agent_id: string | null;
            /** @enum {string} */
            agent_status: "online" | "offline" | "disabled" | "none";
            agent_version: string | null;
            last_seen_at: string | null;
            /** Format: date-time */
            created_at: string;
            metrics: components["schemas"]["HostMetrics"] | null;
        };
        /** HostPage */
        HostPage: {
            total: number;
            page: number;
            page_size: number;
            results: components["schemas"]["HostRow"][];
        };
        /** GroupRow */
        GroupRow: {
            id: number;
            name: string;
            host_count?: number;
        };
        /** GroupPage */
        GroupPage: {
            total: number;
            page: number;
            page_size: number;
            results: components["schemas"]["GroupRow"][];
        };
        /** AgentRow */
        AgentRow: {
            id: string;
            host_id: number;
            host_name: string;
            ip_address: string;
            status: string;
            version: string | null;
            last_seen_at: string | null;
            /** Format: date-time */
            enrolled_at: string;
            metrics: components["schemas"]["HostMetrics"] | null;
        };
        /** AgentPage */
        AgentPage: {
            total: number;
            page: number;
            page_size: number;
            results: components["schemas"]["AgentRow"][];
        };
        /** QuickScriptIn */
        QuickScriptIn: {
            script_content: string;
            target_host_ids: number[];
            /** @enum {string} */
            script_type?: "shell" | "python" | "javascript" | "perl" | "powershell" | "go";
            timeout?: number;
            name?: string | null;
            args?: string[];
            env?: {
                [key: string]: string;
            };
            run_as?: string | null;
            cwd?: string | null;
            not_after_seconds?: number | null;
        };
        /** ExecutionAccepted */
        ExecutionAccepted: {
            execution_id: string;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
            task_count: number;
        };
        /** ExecutionRow */
        ExecutionRow: {
            id: string;
            execution_id: string;
            name: string;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
            /** @enum {string} */
            script_type: "shell" | "python" | "javascript" | "perl" | "powershell" | "go";
            username: string;
            trigger: string;
            task_total: number;
            counts: {
                [key: string]: number;
            };
            /** Format: date-time */
            created_at: string;
            started_at: string | null;
            finished_at: string | null;
            duration_ms: number | null;
        };
        /** ExecutionPage */
        ExecutionPage: {
            total: number;
            page: number;
            page_size: number;
            results: components["schemas"]["ExecutionRow"][];
        };
        /** TaskRow */
        TaskRow: {
            id: string;
            host_id: number;
            host_name: string;
            ip_address: string;
            agent_id: string | null;
            /** @enum {string} */
            status: "queued" | "offered" | "claimed" | "running" | "success" | "failed" | "timeout" | "cancelled" | "lost" | "expired" | "rejected";
            attempt: number;
            exit_code: number | null;
            signal: number | null;
            reason: string | null;
            /** Format: date-time */
            created_at: string;
            started_at: string | null;
            finished_at: string | null;
            duration_ms: number | null;
            stdout_bytes: number;
            stderr_bytes: number;
            /** @enum {string} */
            log_status: "live" | "complete" | "gap" | "none";
        };
        /** TaskPage */
        TaskPage: {
            total: number;
            page: number;
            page_size: number;
            results: components["schemas"]["TaskRow"][];
        };
        /** StepOut */
        StepOut: {
            id: string;
            name: string;
            order: number;
            status: string;
            counts: {
                [key: string]: number;
            };
            tasks: components["schemas"]["TaskRow"][];
        };
        /** ExecutionDetail */
        ExecutionDetail: {
            id: string;
            execution_id: string;
            name: string;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
            /** @enum {string} */
            script_type: "shell" | "python" | "javascript" | "perl" | "powershell" | "go";
            username: string;
            trigger: string;
            task_total: number;
            counts: {
                [key: string]: number;
            };
            /** Format: date-time */
            created_at: string;
            started_at: string | null;
            finished_at: string | null;
            duration_ms: number | null;
            script_content: string;
            timeout_seconds: number;
            args: string[];
            env: {
                [key: string]: string;
            };
            run_as: string | null;
            version: number;
            tasks_total: number;
            steps: components["schemas"]["StepOut"][];
        };
        /** CancelIn */
        CancelIn: {
            reason?: string | null;
        };
        /** CancelOut */
        CancelOut: {
            execution_id: string;
            /** @enum {string} */
            status: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
            cancelling: number;
        };
        /** LogChunk */
        LogChunk: {
            position: number;
            host_id: number;
            host: string;
            task_id: string;
            /** @enum {string} */
            stream: "stdout" | "stderr";
            seq: number;
            offset: number;
            text: string;
        };
        /** LogPage */
        LogPage: {
            chunks: components["schemas"]["LogChunk"][];
            next_position: number;
            complete: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    post_api_auth_login_: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["LoginOut"];
                    };
                };
            };
        };
    };
    post_api_auth_logout_: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: null;
                    };
                };
            };
        };
    };
    get_api_auth_me_: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["UserOut"];
                    };
                };
            };
        };
    };
    post_api_auth_password_: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordIn"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: null;
                    };
                };
            };
        };
    };
    get_api_hosts_: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string;
                group_id?: number;
                agent_status?: "online" | "offline" | "disabled" | "none";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostPage"];
                    };
                };
            };
        };
    };
    get_api_hosts_host_id_: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                host_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["HostRow"];
                    };
                };
            };
        };
    };
    get_api_hosts_groups_: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["GroupPage"];
                    };
                };
            };
        };
    };
    get_api_agents_: {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                search?: string;
                status?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentPage"];
                    };
                };
            };
        };
    };
    post_api_agents_agent_id_disable_: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentRow"];
                    };
                };
            };
        };
    };
    post_api_agents_agent_id_enable_: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                agent_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["AgentRow"];
                    };
                };
            };
        };
    };
    post_api_quick_execute_script_: {
        parameters: {
            query?: never;
            header?: {
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuickScriptIn"];
            };
        };
        responses: {
            /** @description OK */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExecutionAccepted"];
                    };
                };
            };
        };
    };
    "get_api_executor_execution-records_": {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                status?: "pending" | "running" | "paused" | "success" | "failed" | "cancelled" | "timeout" | "lost" | "expired";
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExecutionPage"];
                    };
                };
            };
        };
    };
    "get_api_executor_execution-records_execution_id_": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["ExecutionDetail"];
                    };
                };
            };
        };
    };
    "get_api_executor_execution-records_execution_id_tasks_": {
        parameters: {
            query?: {
                page?: number;
                page_size?: number;
                status?: "queued" | "offered" | "claimed" | "running" | "success" | "failed" | "timeout" | "cancelled" | "lost" | "expired" | "rejected";
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["TaskPage"];
                    };
                };
            };
        };
    };
    "post_api_executor_execution-records_execution_id_cancel_": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CancelIn"];
            };
        };
        responses: {
            /** @description OK */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["CancelOut"];
                    };
                };
            };
        };
    };
    "get_api_executor_execution-records_execution_id_logs_": {
        parameters: {
            query?: {
                position?: number;
                limit_bytes?: number;
                host_id?: number;
            };
            header?: never;
            path: {
                execution_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        code: number;
                        message: string;
                        success: boolean;
                        content: components["schemas"]["LogPage"];
                    };
                };
            };
        };
    };
}
