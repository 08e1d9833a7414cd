{{/* The name of everything: the release's, with the chart's where that says nothing of it. */}}
{{- define "mizzle.name" -}}
{{- if contains "mizzle" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-mizzle" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "mizzle.selector" -}}
app.kubernetes.io/name: mizzle
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "mizzle.labels" -}}
{{ include "mizzle.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "mizzle.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The names of the Service in the cluster, which KServe and KubeRay call after the release, and the operator's. */}}
{{- define "mizzle.hosts" -}}
{{- $service := printf "%s%s" (include "mizzle.name" .) (get (dict "deployment" "" "kserve" "-predictor" "ray" "-serve-svc") .Values.kind) }}
{{- $inside := printf "%s.%s" $service .Release.Namespace }}
{{- concat (list $service $inside (print $inside ".svc") (print $inside ".svc.cluster.local")) .Values.hosts | join "," }}
{{- end }}

{{/* Settings: those that the chart needs, the operator's own, and the address of the jobs. */}}
{{- define "mizzle.env" -}}
- name: MIZZLE_HOST
  value: "0.0.0.0"
- name: MIZZLE_KEYS_FILE
  value: /run/secrets/mizzle/keys
- name: MIZZLE_HOSTS
  value: {{ include "mizzle.hosts" . | quote }}
# Probes and metrics on the pod's own address, which no Service names.
- name: MIZZLE_ADMIN_HOST
  value: "0.0.0.0"
- name: MIZZLE_LOG_JSON
  value: "1"
{{- if eq .Values.device "cuda" }}
- name: MIZZLE_DEVICE
  value: cuda
{{- end }}
{{- if .Values.jobs.enabled }}
- name: MIZZLE_JOBS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.jobs.secret }}
      key: {{ .Values.jobs.key }}
- name: MIZZLE_JOBS_LEASE_SECONDS
  value: {{ .Values.jobs.leaseSeconds | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: MIZZLE_{{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "mizzle.resources" -}}
{{- $limits := .Values.resources.limits | default dict }}
{{- if eq .Values.device "cuda" }}{{ $limits = merge (dict "nvidia.com/gpu" .Values.gpus) $limits }}{{ end }}
{{- toYaml (merge (dict "limits" $limits) .Values.resources) }}
{{- end }}

{{- define "mizzle.containerSecurity" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{- define "mizzle.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "mizzle.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: keys, mountPath: /run/secrets/mizzle, readOnly: true}
{{- end }}

{{- define "mizzle.volumes" -}}
- name: tmp
{{- if eq .Values.kind "ray" }}
  emptyDir: {sizeLimit: 4Gi} # where Ray keeps its logs and what its memory does not hold
{{- else }}
  emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- end }}
- name: keys
  secret:
    secretName: {{ .Values.keys.secret }}
    items: [{key: {{ .Values.keys.key }}, path: keys}]
{{- end }}

{{/* The container of the service, of a Deployment's pods and of KServe's. */}}
{{- define "mizzle.container" -}}
image: {{ include "mizzle.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "mizzle.env" . | nindent 2 }}
startupProbe:
  httpGet: {path: /startupz, port: 18000}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: 18000}
  periodSeconds: 5
  timeoutSeconds: 11
livenessProbe:
  httpGet: {path: /livez, port: 18000}
  periodSeconds: 10
  timeoutSeconds: 5
resources:
  {{- include "mizzle.resources" . | nindent 2 }}
securityContext:
  {{- include "mizzle.containerSecurity" . | nindent 2 }}
volumeMounts:
  {{- include "mizzle.mounts" . | nindent 2 }}
{{- end }}

{{/* What pods have in common, whoever makes them. */}}
{{- define "mizzle.pod" -}}
enableServiceLinks: false # else a Service called mizzle sets MIZZLE_PORT to an address
terminationGracePeriodSeconds: 30 # more than MIZZLE_DRAIN_SECONDS and MIZZLE_GRACE_SECONDS
securityContext:
  {{- include "mizzle.podSecurity" . | nindent 2 }}
volumes:
  {{- include "mizzle.volumes" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
