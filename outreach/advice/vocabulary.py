"""Words that hashtags of scientific communities are made of, to part those that are written as one."""

_WORDS = """
a abstract abstracts academia academic access adhesion adult advanced advances advocacy aging alumni analysis and animal
annual antibody antigen apply assay association at award awardee awards basic bench bio bioinformatics biology biomarker
biomarkers biomedical biopsy blood board bone brain breast breakthrough by call calls cancer cancers carcinoma care career
careers cell cells cellular challenge chair chairs chemo chemotherapy childhood circulating clinic clinical colon
colorectal committee community computational conference congress control course ctc cure data day days deadline deep
detection development diagnosis discovery disease diversity dna doctoral drug early education elections emerging
epigenetics epithelial equity europe evolution exosome exosomes extended extracellular faculty fellowship fellows female
first for free from fund funding future gene genes genetics genome genomics global glioma grant grants group growth head
health healthcare heart heterogeneity hiring history hope hypoxia imaging immune immunity immuno immunology immunotherapy
impact in inclusion industry inflammation innovation institute international invasion investigator investigators is job
jobs join journal kidney lab labs laboratory leader leaders leadership learning lecture leukemia life light liquid live
liver lung lunch lymph lymphoma machine macrophages matrix mechanisms medical medicine meeting meetings melanoma member
members membership mentor mentoring mentors mentorship metabolism metastasis metastases metastatic method methods
micro microbiome microenvironment microscopy model models molecular month mouse multi myeloma nano national neck network
networking neuro new news next niche nobel now nursing of on oncology online open opening opportunities opportunity oral
organ organoid organoids our outreach ovarian panel paper papers pathology patient patients pediatric phd physics
plasticity poster posters post postdoc postdocs precision prevention prize prizes program progression prostate protein
proteomics public publication publishing quality question radiation rare registration research researcher researchers
resistance review rna room sarcoma save scholar scholarship school science sciences scientific scientist scientists
seminar sequencing series session sessions sig signaling single skin society solid spatial speaker speakers special
spring stage stem stemcell student students study submit summer support surgery survivor survivors survivorship symposium
systems talk talks target targeted team tech technology the therapeutics therapies therapy thesis thyroid time tissue to
today together trainee trainees training transition translational treatment trial trials tumor tumors tumour tumours
university update vaccine vascular vision volunteer webinar webinars week welcome winner winners winter with women work
workshop workshops world year young your
"""

KNOWN = frozenset(_WORDS.split())
