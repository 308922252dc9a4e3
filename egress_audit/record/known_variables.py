"""Variables of the environment that change what a program sends, and what each does.

Source: the products' code at the versions named beside them; those marked RUN were seen to act.
"""

import re

CI = (
    "CI",  # set by nearly all of them; alone it silences onnxruntime 1.31 (RUN)
    "CONTINUOUS_INTEGRATION",
    "CI_NAME",  # Codeship
    "GITHUB_ACTIONS",  # alone it silences onnxruntime 1.31 (RUN)
    "GITLAB_CI",
    "TF_BUILD",  # Azure Pipelines
    "JENKINS_URL",
    "HUDSON_URL",
    "BUILD_ID",  # Jenkins, Google Cloud Build
    "BUILD_NUMBER",
    "BUILD_URL",
    "TRAVIS",
    "CIRCLECI",
    "CIRRUS_CI",
    "APPVEYOR",
    "BUILDKITE",
    "BITBUCKET_BUILD_NUMBER",
    "BITBUCKET_COMMIT",
    "CODEBUILD_BUILD_ID",
    "CODEBUILD_BUILD_ARN",
    "TEAMCITY_VERSION",
    "JB_SPACE_API_URL",
    "DRONE",
    "WOODPECKER",
    "SEMAPHORE",
    "BUDDY",
    "HEROKU_TEST_RUN_ID",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI",  # Azure Pipelines
    "PYTEST_CURRENT_TEST",  # no CI, but mlflow 3.17 takes it for one
)
"""Announce a build machine or a test, where telemetry keeps silent. Lists compared: mlflow 3.17
telemetry/utils.py, nx is_ci.ts, ci-info (npm), the .NET SDK's CIEnvironmentDetector."""

CONDITIONS = {
    "DO_NOT_TRACK": "asks for no telemetry; products read different values (vLLM 1, mlflow true)",
    "HF_HUB_OFFLINE": "with 1 or true, no request of huggingface_hub; wins over most built on it",
    "TRANSFORMERS_OFFLINE": "older name of HF_HUB_OFFLINE",
    "HF_DATASETS_OFFLINE": "with 1 or true, datasets uses its cache alone",
    "HF_EVALUATE_OFFLINE": "with 1 or true, evaluate uses its cache alone",
    "HF_HUB_DISABLE_TELEMETRY": "with 1 or true, no telemetry of huggingface_hub; requests go on",
    "HF_HUB_DISABLE_UPDATE_CHECK": "with 1 or true, hf does not look for a newer version",
    "HF_HUB_DISABLE_XET": "with 1 or true, downloads do not use the Xet hosts",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "with 1 or true, requests carry no token by themselves",
    "DISABLE_SAFETENSORS_CONVERSION": "with 1, transformers has no .bin files converted",
    "DISABLE_TELEMETRY": "telemetry; AnythingLLM and open-interpreter read true, others also 1",
    "ANONYMIZED_TELEMETRY": "telemetry of browser-use and older chromadb",
    "BROWSER_USE_CLOUD_SYNC": "events of browser-use sessions",
    "LLAMA_OFFLINE": "with 1 or true, llama.cpp uses its cache alone",
    "LLAMA_ARG_OFFLINE": "as LLAMA_OFFLINE, in newer builds",
    "VLLM_NO_USAGE_STATS": "with 1, vLLM sends no usage statistics; files are still asked for",
    "VLLM_DO_NOT_TRACK": "as VLLM_NO_USAGE_STATS",
    "RAY_USAGE_STATS_ENABLED": "with 0, ray sends no hourly report; one may go all the same (RUN)",
    "RAY_USAGE_STATS_REPORT_INTERVAL_S": "seconds between the reports of ray",
    "USAGE_STATS": "usage statistics of text-generation-inference",
    "GRADIO_ANALYTICS_ENABLED": "with False (RUN), or any word but True, gradio reports nothing",
    "GRADIO_SHARE": "with True, a tunnel from the internet to the program is opened",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "streamlit's statistics; its address look-up stays",
    "STREAMLIT_SERVER_ADDRESS": "streamlit does not look for its address when one is set",
    "ORT_DISABLE_TELEMETRY": "with 1, onnxruntime sends no telemetry (RUN)",
    "ORT_TELEMETRY_DISABLED": "of no effect in onnxruntime 1.31 (RUN)",
    "LITELLM_LOCAL_MODEL_COST_MAP": "with True (RUN), not 1, litellm fetches no prices on import",
    "LITELLM_TELEMETRY": "telemetry of litellm",
    "OLLAMA_NO_CLOUD": "with 1 or true, ollama.com is asked for whoami and sign-out alone",
    "OLLAMA_REMOTES": "hosts to which ollama may hand a prompt",
    "MLFLOW_DISABLE_TELEMETRY": "telemetry of mlflow",
    "WANDB_MODE": "with offline or disabled, wandb sends no runs",
    "WANDB_ERROR_REPORTING": "crash reports of wandb",
    "SCARF_NO_ANALYTICS": "pings of Scarf (unstructured and others)",
    "NEXT_TELEMETRY_DISABLED": "telemetry of Next.js",
    "ASTRO_TELEMETRY_DISABLED": "telemetry of Astro",
    "DOTNET_CLI_TELEMETRY_OPTOUT": "telemetry of the .NET command line",
    "POWERSHELL_TELEMETRY_OPTOUT": "telemetry of PowerShell",
    "CREWAI_DISABLE_TELEMETRY": "telemetry of crewai, which reads true and not 1",
    "CREWAI_DISABLE_TRACKING": "as CREWAI_DISABLE_TELEMETRY",
    "OTEL_SDK_DISABLED": "everything that is sent by OpenTelemetry, which reads true and not 1",
    "MEM0_TELEMETRY": "telemetry of mem0",
    "HAYSTACK_TELEMETRY_ENABLED": "telemetry of haystack",
    "AGNO_TELEMETRY": "telemetry of agno",
    "YOLO_OFFLINE": "with true, in newer versions also 1, ultralytics makes no request",
    "CONTINUE_METRICS_ENABLED": "telemetry of Continue",
    "OFFLINE_MODE": "with true, Open WebUI makes no version check, and sets HF_HUB_OFFLINE",
    "ENABLE_VERSION_UPDATE_CHECK": "version check of Open WebUI",
    "ENABLE_OPENAI_API": "Open WebUI's connection to a server of the OpenAI kind",
    "LOCALAI_AUTOLOAD_GALLERIES": "LocalAI's list of models",
    "LOCALAI_AUTOLOAD_BACKEND_GALLERIES": "LocalAI's list of backends",
    "RAG_EMBEDDING_MODEL_AUTO_UPDATE": "Open WebUI's look for newer embedding models",
    "RAG_RERANKING_MODEL_AUTO_UPDATE": "Open WebUI's look for newer reranking models",
    "VLLM_USE_MODELSCOPE": "with true, vLLM loads from modelscope.cn",
    "SGLANG_USE_MODELSCOPE": "with true, SGLang loads from modelscope.cn",
    "MODELSCOPE_PREFER_AI_SITE": "modelscope.ai in place of modelscope.cn",
    "LANGSMITH_TRACING": "with true, prompts and answers go to LangSmith",
    "LANGSMITH_TRACING_V2": "as LANGSMITH_TRACING",
    "LANGCHAIN_TRACING": "older name of LANGSMITH_TRACING",
    "LANGCHAIN_TRACING_V2": "older name of LANGSMITH_TRACING_V2",
    "VLLM_HOST_IP": "vLLM does not look for its address when one is set",
    "SGLANG_HOST_IP": "SGLang does not look for its address when one is set",
    "AWS_EC2_METADATA_DISABLED": "with true, the AWS SDKs ask no metadata service; others may",
    "PIP_DISABLE_PIP_VERSION_CHECK": "with 1, pip does not look for a newer version",
    "PIP_NO_INDEX": "with 1, pip asks no index",
    "UV_OFFLINE": "with 1 or true, uv makes no request",
    "NO_UPDATE_NOTIFIER": "Node.js programs do not look for a newer version",
    "GH_NO_UPDATE_NOTIFIER": "gh does not look for a newer version",
    "HOMEBREW_NO_ANALYTICS": "telemetry of Homebrew",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "telemetry and update check of Claude Code",
}
"""Switches with which a user makes a product more silent, or less; kept, and printed beside the
value that was set. What one value does is said of it alone, since another may do nothing."""

_OPENAI = "server that is called in place of api.openai.com"
_PROXY = "proxy through which requests go"

ENDPOINTS = {
    "HTTP_PROXY": _PROXY,
    "HTTPS_PROXY": _PROXY,
    "ALL_PROXY": _PROXY,
    "FTP_PROXY": _PROXY,
    "WS_PROXY": _PROXY,
    "WSS_PROXY": _PROXY,
    "NO_PROXY": "hosts that are reached without the proxy",
    "GRPC_PROXY": _PROXY,
    "HF_ENDPOINT": "server in place of huggingface.co; also gets the token",
    "HF_INFERENCE_ENDPOINT": "server in place of api-inference.huggingface.co",
    "OLLAMA_HOST": "where ollama listens, and where its clients look for it",
    "OLLAMA_CLOUD_BASE_URL": "server in place of ollama.com",
    "OLLAMA_BASE_URL": "ollama server that clients use",
    "OLLAMA_API_BASE": "ollama server that litellm uses",
    "OPENAI_BASE_URL": _OPENAI,
    "OPENAI_API_BASE": _OPENAI,
    "OPENAI_API_BASE_URL": _OPENAI,
    "AZURE_OPENAI_ENDPOINT": "server of Azure OpenAI",
    "ANTHROPIC_BASE_URL": "server in place of api.anthropic.com",
    "BROWSER_USE_CLOUD_API_URL": "server in place of api.browser-use.com",
    "VLLM_USAGE_STATS_SERVER": "server in place of stats.vllm.ai",
    "RAY_USAGE_STATS_REPORT_URL": "server in place of usage-stats.ray.io",
    "RAY_ADDRESS": "cluster that ray joins",
    "LITELLM_MODEL_COST_MAP_URL": "where litellm fetches its price list",
    "LITELLM_BLOG_POSTS_URL": "where litellm's proxy fetches its news",
    "LANGSMITH_ENDPOINT": "server that gets traces",
    "LANGCHAIN_ENDPOINT": "older name of LANGSMITH_ENDPOINT",
    "MODELSCOPE_DOMAIN": "server in place of modelscope.cn",
    "MLFLOW_TRACKING_URI": "server that gets runs",
    "WANDB_BASE_URL": "server that gets runs",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "server that gets traces, metrics and logs",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "server that gets traces",
    "SENTRY_DSN": "server that gets crash reports",
    "LOCALAI_GALLERIES": "where LocalAI looks for models",
    "LOCALAI_BACKEND_GALLERIES": "where LocalAI looks for backends",
    "LOCALAI_AGENT_HUB_URL": "where LocalAI looks for agents",
    "PIP_INDEX_URL": "package index of pip",
    "PIP_EXTRA_INDEX_URL": "one more package index of pip",
    "UV_INDEX_URL": "package index of uv",
    "UV_DEFAULT_INDEX": "package index of uv",
    "NPM_CONFIG_REGISTRY": "package registry of npm",
    "GOPROXY": "module proxy of Go",
    "RES_OPTIONS": "options of the resolver",
    "LOCALDOMAIN": "domains that are added to names",
    "HOSTALIASES": "file with other names for hosts",
    "LD_PRELOAD": "code that is loaded into every program",
}
"""Proxies, mirrors and servers; either spelling, since most programs read lower case as well."""

_LOOKS_LIKE_ENDPOINT = re.compile(r"(?:_PROXY|_BASE_URL|_API_BASE|_ENDPOINT|_DSN)$")
_LOOKS_LIKE_URL = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def condition(name: str) -> str:
    """What a switch does; '' for a variable that is none."""
    return CONDITIONS.get(name, "")


def endpoint(name: str, value: str) -> str:
    """What a variable that names a server does; '' for one that names none."""
    meaning = ENDPOINTS.get(name.upper(), "")
    if meaning:
        return meaning
    named_so = _LOOKS_LIKE_ENDPOINT.search(name.upper())
    return "server, judging by its name" if named_so and _LOOKS_LIKE_URL.match(value) else ""
